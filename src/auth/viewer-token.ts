import { createHmac } from "node:crypto";
import type { Config } from "../env.ts";
import { equal } from "../equal.ts";
import { type ExportLinkClaims, exportLinkSchema } from "../schema/export.ts";
import { type ViewerClaims, viewerClaimsSchema } from "../schema/viewer-token.ts";

const TOKEN_PATTERN = /^(ind_v[a-z2-7]{12})_([A-Za-z0-9_-]+)([A-Za-z0-9_-]{43})$/;
const MAC_CHARACTERS = 43;

/** As long as the claims of a token, with the id of an export and the name of a file. */
const LINK_PATTERN = /^([A-Za-z0-9_-]{1,7000})\.([A-Za-z0-9_-]{43})$/;

type Secrets = Pick<Config, "keyPepper" | "rootKey">;

/**
 * The text of a viewer token: `ind_v<12 base32>_<claims: JSON, base64url><HMAC-SHA-256 of all before, base64url>`. Nobody
 * keeps it. Its MAC depends on both secrets, so that a new ROOT_KEY ends every token there is.
 */
export function viewerTokenText(secrets: Secrets, id: string, claims: ViewerClaims): string {
  const body = `${id}_${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return body + macOf(secrets, body, "viewer-token");
}

/** Reads a token; null when it is not one of ours, by shape or by MAC. Nothing of it is parsed before the MAC is found right. */
export function parseViewerToken(secrets: Secrets, text: string): { id: string; claims: ViewerClaims } | null {
  const match = TOKEN_PATTERN.exec(text);
  if (match === null) return null;
  const [, id = "", encoded = "", mac = ""] = match;
  if (!equal(mac, macOf(secrets, text.slice(0, -MAC_CHARACTERS), "viewer-token"))) return null;
  // What we signed is JSON; of what shape, an older or newer deployment decided.
  const claims = viewerClaimsSchema.safeParse(JSON.parse(Buffer.from(encoded, "base64url").toString("utf8")));
  return claims.success ? { id, claims: claims.data } : null;
}

/** The text of a download link: `<claims: JSON, base64url>.<HMAC-SHA-256 of it, base64url>`. Nobody keeps it. */
export function exportLinkText(secrets: Secrets, claims: ExportLinkClaims): string {
  const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${body}.${macOf(secrets, body, "export-link")}`;
}

/** Reads a link; null when it is not one of ours. Nothing of it is parsed before its MAC is found right. */
export function parseExportLink(secrets: Secrets, text: string): ExportLinkClaims | null {
  const [, body = "", mac = ""] = LINK_PATTERN.exec(text) ?? [];
  if (!equal(mac, macOf(secrets, body, "export-link"))) return null;
  const claims = exportLinkSchema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
  return claims.success ? claims.data : null;
}

/** A MAC of one kind of text is none of another. */
function macOf({ keyPepper, rootKey }: Secrets, body: string, kind: "viewer-token" | "export-link"): string {
  const key = createHmac("sha256", keyPepper).update(`indelible/${kind}/v1\0${rootKey}`).digest();
  return createHmac("sha256", key).update(body).digest("base64url");
}

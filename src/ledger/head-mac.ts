import { createHmac } from "node:crypto";
import { utf8 } from "../chain/encoding.ts";
import { hkdfSha256 } from "../ed25519.ts";
import { equal } from "../equal.ts";
import type { Config } from "../env.ts";
import type { Head } from "./state.ts";

/**
 * What the ledger leaves beside its entries in R2 and D1, to know them again should its own storage be set back:
 * HMAC-SHA256 of the log's size and of the entry hash that ends it there, base64url, under a key of the log that
 * LOG_SIGNING_KEY gives. The chain then vouches for every entry below. Anybody can continue a chain; nobody else can say this.
 */
export function headMac({ logSigningKey }: Config, log: string, { size, prev }: Pick<Head, "size" | "prev">): string {
  const key = hkdfSha256({ secret: logSigningKey, info: utf8(`indelible/head-mac/v1\0${log}`) });
  return createHmac("sha256", key).update(`${size}\n${prev}`).digest("base64url");
}

/** Whether this log's ledger left `mac` for this head. */
export function isHeadMac(config: Config, log: string, { head, mac }: { head: Head; mac: string | null }): boolean {
  return mac !== null && equal(mac, headMac(config, log, head));
}

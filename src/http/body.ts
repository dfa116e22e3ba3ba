import type * as z from "zod";
import { ok, refuse, type Result } from "../errors.ts";
import { JSON_BODY_MAX_BYTES } from "../limits.ts";
import { misshapen } from "../schema/misshapen.ts";
import type { Ctx } from "./context.ts";

/** The body as text: at most `max` bytes, valid UTF-8; read no further than the limit. */
export async function bodyText(c: Ctx, max: number): Promise<Result<string>> {
  const tooLarge = refuse("too_large", `The body may be at most ${max} bytes.`);
  const announced = Number(c.req.header("content-length") ?? 0);
  if (announced > max) return tooLarge;
  const encoding = c.req.header("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    return refuse("unsupported_media_type", "Send the body without Content-Encoding.");
  }
  const bytes = announced > 0 ? new Uint8Array(await c.req.raw.arrayBuffer()) : await readUpTo(c, max);
  if (bytes === null || bytes.length > max) return tooLarge;
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    return refuse("invalid_request", "The body is not valid UTF-8.");
  }
}

/** A body of unannounced length, no further than the limit; null past it. */
async function readUpTo(c: Ctx, max: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const stream: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (stream === null) return new Uint8Array();
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > max) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The media type without parameters, in lower case. */
export function mediaTypeOf(c: Ctx): string {
  return (c.req.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** A small JSON body of a known shape; every bad member is named by pointer. */
export async function jsonBody<T extends z.ZodType>(c: Ctx, shape: T): Promise<Result<z.infer<T>>> {
  if (mediaTypeOf(c) !== "application/json") {
    return refuse("unsupported_media_type", "Send `Content-Type: application/json`.");
  }
  const text = await bodyText(c, JSON_BODY_MAX_BYTES);
  if (!text.ok) return text;
  let value: unknown;
  try {
    value = JSON.parse(text.value);
  } catch (error) {
    return refuse("invalid_request", `The body is not JSON: ${error instanceof Error ? error.message : ""}.`);
  }
  const checked = shape.safeParse(value);
  return checked.success ? ok(checked.data) : misshapen(checked.error, "The body");
}

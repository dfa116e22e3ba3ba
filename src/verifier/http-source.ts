import { VERIFIER_ANSWER_MAX_MS, VERIFIER_RETRY_MAX_MS, VERIFIER_RETRY_MIN_MS, VERIFIER_TRIES } from "../limits.ts";
import { pause } from "./pause.ts";
import type { LogSource, ReadResult } from "./source.ts";

export type HttpOptions = {
  /** Sent with every request: an API key, where the log is not public. */
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
  /** Told why nothing comes, and null when it comes again. */
  onWaiting?: (why: string | null) => void;
  wait?: (milliseconds: number) => Promise<void>;
};

type Try = ReadResult | { kind: "again"; why: string; afterMs: number | null };

/**
 * A log over HTTP, under its URL. What may pass (no answer, 429, 5xx) is tried again with growing pauses. Redirects are
 * not followed: they would take the headers, and the question, to somebody else. Answers are cut at what a file may have.
 */
export function httpSource(url: string, options: HttpOptions = {}): LogSource {
  const base = url.replace(/\/+$/, "");
  const wait = options.wait ?? ((milliseconds) => pause(milliseconds, options.signal));
  return {
    async read(path, { maxBytes }) {
      for (let tries = 1; ; tries++) {
        const result = await attempt(`${base}/${path}`, { maxBytes, options });
        if (result.kind !== "again") {
          if (tries > 1) options.onWaiting?.(null);
          return result;
        }
        const stopped = options.signal?.aborted === true;
        if (stopped || tries === VERIFIER_TRIES)
          return { kind: "unread", why: stopped ? "it was stopped" : result.why };
        options.onWaiting?.(result.why);
        const doubled = VERIFIER_RETRY_MIN_MS * 2 ** (tries - 1);
        await wait(Math.min(VERIFIER_RETRY_MAX_MS, result.afterMs ?? doubled));
      }
    },
  };
}

async function attempt(url: string, { maxBytes, options }: { maxBytes: number; options: HttpOptions }): Promise<Try> {
  const timeout = AbortSignal.timeout(VERIFIER_ANSWER_MAX_MS);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    const request = { headers: options.headers ?? {}, redirect: "manual", signal } as const;
    const response = await (options.fetch ?? fetch)(url, request);
    const { status } = response;
    if (status === 200) return await bodyOf(response, maxBytes);
    await response.body?.cancel();
    if (status === 404) return { kind: "absent" };
    // A browser shows a redirect as status 0.
    if (status === 0 || (status >= 300 && status < 400)) {
      const to = response.headers.get("location");
      return { kind: "unread", status, why: `it redirects${to === null ? "" : ` to ${to}`}, which is not followed` };
    }
    if (status !== 429 && status < 500) return { kind: "unread", status, why: `it answered ${status}` };
    const seconds = Number(response.headers.get("retry-after") ?? "");
    return { kind: "again", why: `it answered ${status}`, afterMs: seconds > 0 ? seconds * 1000 : null };
  } catch (error) {
    return { kind: "again", why: whyOf(error), afterMs: null };
  }
}

async function bodyOf(response: Response, maxBytes: number): Promise<Try> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (response.body !== null) {
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      length += read.value.length;
      if (length > maxBytes) {
        await reader.cancel();
        return { kind: "unread", why: `it is longer than the ${maxBytes} bytes it may have` };
      }
      parts.push(read.value);
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { kind: "bytes", bytes };
}

function whyOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (error instanceof Error && error.name === "TimeoutError") return "no answer came in time";
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its host cannot be found";
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET") return "the connection broke";
  return cause instanceof Error && cause.message !== "" ? `no answer (${cause.message})` : "no answer";
}

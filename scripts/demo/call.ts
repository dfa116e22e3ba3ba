import { setTimeout as sleep } from "node:timers/promises";
import { problemOf, reasonOf } from "../../src/cli/answer.ts";
import { failed, type Outcome } from "../../src/cli/outcome.ts";

type Call = { method?: string; body?: string; headers?: Record<string, string> };

const PATIENCE_MS = 60_000;

/** Calls the service and reads its JSON; waits when it is overloaded, and says what went wrong when it is not. */
export async function call(
  service: { url: string; key: string },
  path: string,
  { method = "GET", body, headers = {} }: Call = {},
): Promise<Outcome<unknown>> {
  const deadline = performance.now() + PATIENCE_MS;
  const all = { authorization: `Bearer ${service.key}`, "content-type": "application/json", ...headers };
  for (;;) {
    let remedy = "see the log of npm start";
    let what: string;
    try {
      const response = await fetch(service.url + path, {
        method,
        headers: all,
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      if (response.ok) return { ok: true, value: text === "" ? null : JSON.parse(text) };
      what = `${method} ${path}: ${problemOf(response.status, text).detail}`;
      if (response.status !== 429 && response.status < 500) return failed(what, remedy);
      await sleep(1000 * Number(response.headers.get("retry-after") ?? 0.5));
    } catch (error) {
      what = `${method} ${path}: ${reasonOf(error, service.url)}`;
      remedy = "start the service with npm start";
      await sleep(500);
    }
    if (performance.now() > deadline) return failed(what, remedy);
  }
}

import * as z from "zod";
import { failed, type Outcome } from "../../src/cli/outcome.ts";
import { call } from "./call.ts";
import type { StoryEvent } from "./story.ts";

/** What a binding answers when it refuses: an error as a value. */
const refusalSchema = z.object({ ok: z.literal(false), refusal: z.object({ detail: z.string() }) });

export type Door = "direct" | "queue" | "binding";
type Service = { url: string; key: string };

/** Hands events over through one door; resolves when the service has said that they are durable. */
export async function handOver(
  door: Door,
  {
    org,
    events,
    service,
    bindingUrl,
  }: { org: string; events: StoryEvent[]; service: Service; bindingUrl: string | null },
): Promise<Outcome<unknown>> {
  const list = events.map((event) => event.text).join(",");
  const path = `/v1/orgs/${org}/events`;
  switch (door) {
    case "direct":
      return call(service, path, { method: "POST", body: `{"events":[${list}]}` });
    case "queue":
      return call(service, path, {
        method: "POST",
        body: `{"events":[${list}]}`,
        headers: { prefer: "respond-async" },
      });
    case "binding":
      if (bindingUrl === null) return failed("there is no binding", "use another door");
      return viaBinding(bindingUrl, `{"org":${JSON.stringify(org)},"events":[${list}],"mode":"append"}`);
  }
}

async function viaBinding(url: string, body: string): Promise<Outcome<unknown>> {
  const answer = await call({ url, key: "" }, "/", { method: "POST", body });
  if (!answer.ok) return answer;
  const refused = refusalSchema.safeParse(answer.value);
  return refused.success ? failed(`through the binding: ${refused.data.refusal.detail}`, "see test/binding") : answer;
}

/** The event as JavaScript values can hold it: through a binding go values, and no number of 16 digits survives in one. */
export function asValues({ id, text }: StoryEvent): StoryEvent {
  return { id, text: JSON.stringify(JSON.parse(text.replace(/:(\d{16,})/g, ':"$1"'))) };
}

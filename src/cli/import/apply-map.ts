import { eventId, subjectId } from "./event-id.ts";
import { type Part, sent, SourceText } from "./event-text.ts";
import { epochTime } from "./epoch-time.ts";
import type { FreeRule, MapFile, Pointer, Rule } from "./map-file.ts";
import type { Mapped } from "./mapping.ts";
import { valueAt } from "./pointer.ts";
import { sourceAt } from "./source-at.ts";

type Fault = { reason: string; pointer?: string };
type Reading = { text: string; value: unknown; faults: Fault[] };

/** One record as an event by the rules of a map; a member whose source is missing, null or "" is left out. */
export function applyMap(map: MapFile, text: string, value: unknown): Mapped {
  const reading: Reading = { text, value, faults: [] };
  const event = {
    id: eventId(textOf(map.id, reading), text),
    action: required("action", map.action, reading),
    category: textOf(map.category, reading),
    occurred_at: textOf(map.occurred_at, reading),
    version: integerOf(map.version, reading),
    actor: actorOf(map.actor, reading),
    on_behalf_of: map.on_behalf_of && partyOf(map.on_behalf_of, reading),
    targets: targetsOf(map, reading),
    outcome: textsOf(map.outcome, reading),
    context: textsOf(map.context, reading),
    changes: changesOf(map.changes, reading),
    reason: textOf(map.reason, reading),
    metadata: freeOf(map.metadata, reading),
  };
  const fault = reading.faults[0];
  return fault === undefined ? { ok: true, event } : { ok: false, ...fault };
}

function actorOf(party: MapFile["actor"], reading: Reading): Part | undefined {
  const type = required("actor.type", party.type, reading);
  const id = required("actor.id", party.id, reading);
  return type === undefined || id === undefined ? undefined : partyOf(party, reading);
}

/** A party needs a type and an id: without either it is left out. */
function partyOf(party: MapFile["actor"], reading: Reading): Part | undefined {
  const type = textOf(party.type, reading);
  const id = textOf(party.id, reading);
  if (type === undefined || id === undefined) return undefined;
  return {
    type,
    id: subjectId(id),
    name: textOf(party.name, reading),
    email: textOf(party.email, reading),
    metadata: freeOf(party.metadata, reading),
  };
}

function targetsOf(map: MapFile, reading: Reading): Part[] | undefined {
  const targets: Part[] = [];
  for (const target of map.targets ?? []) {
    const type = textOf(target.type, reading);
    const id = textOf(target.id, reading);
    if (type === undefined || id === undefined) continue;
    const rest = { name: textOf(target.name, reading), metadata: freeOf(target.metadata, reading) };
    targets.push({ type, id: subjectId(id), role: textOf(target.role, reading), ...rest });
  }
  return targets.length > 0 ? targets : undefined;
}

function textsOf(rules: Record<string, Rule | undefined> | undefined, reading: Reading): Part | undefined {
  if (rules === undefined) return undefined;
  return sent(Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, textOf(rule, reading)])));
}

function changesOf(changes: MapFile["changes"], reading: Reading): Part | undefined {
  if (changes === undefined) return undefined;
  const fields = changes.fields?.map((rule) => textOf(rule, reading)).filter((field) => field !== undefined);
  return sent({ before: freeOf(changes.before, reading), after: freeOf(changes.after, reading), fields });
}

function freeOf(rule: FreeRule | undefined, reading: Reading): SourceText | undefined {
  if (rule === undefined) return undefined;
  if ("const" in rule) return new SourceText(JSON.stringify(rule.const));
  if (rule.from.steps.length === 0) return new SourceText(reading.text);
  const source = sourceAt(reading.text, rule.from.steps);
  return source === undefined ? undefined : new SourceText(source);
}

function integerOf(rule: Rule | undefined, reading: Reading): number | undefined {
  const text = textOf(rule, reading);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  reading.faults.push({ reason: `version: ${JSON.stringify(text)} is not a whole number` });
  return undefined;
}

function required(member: string, rule: Rule, reading: Reading): string | undefined {
  const text = textOf(rule, reading);
  if (text === undefined) reading.faults.push({ reason: `${member}: nothing found by ${describe(rule)}` });
  return text;
}

function textOf(rule: Rule | undefined, reading: Reading): string | undefined {
  if (rule === undefined) return undefined;
  if ("from" in rule) return textAt(rule.from, reading);
  if ("const" in rule) return String(rule.const);
  if ("epoch" in rule) return timeAt(rule.epoch, reading);
  if ("lookup" in rule) {
    const key = textAt(rule.lookup, reading);
    return key !== undefined && Object.hasOwn(rule.table, key) ? rule.table[key] : rule.else;
  }
  if ("first" in rule) {
    for (const one of rule.first) {
      const text = textOf(one, reading);
      if (text !== undefined) return text;
    }
    return undefined;
  }
  const texts = rule.concat.map((one) => textOf(one, reading));
  return texts.includes(undefined) ? undefined : texts.join("");
}

function timeAt(pointer: Pointer, reading: Reading): string | undefined {
  const epoch = textAt(pointer, reading);
  if (epoch === undefined) return undefined;
  const time = epochTime(epoch);
  if (time.ok) return time.text;
  reading.faults.push({ reason: time.reason, pointer: pointer.text });
  return undefined;
}

function textAt(pointer: Pointer, reading: Reading): string | undefined {
  const value = valueAt(reading.value, pointer.steps);
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  // A 64-bit integer or 1.10 keeps its digits only in the source.
  if (typeof value === "number") return sourceAt(reading.text, pointer.steps);
  reading.faults.push({ reason: "a list or an object stands where a text is needed", pointer: pointer.text });
  return undefined;
}

function describe(rule: Rule): string {
  if ("from" in rule) return `"${rule.from.text}"`;
  if ("epoch" in rule) return `"${rule.epoch.text}"`;
  if ("lookup" in rule) return `the table for "${rule.lookup.text}"`;
  if ("const" in rule) return "an empty constant";
  return ("first" in rule ? rule.first : rule.concat).map(describe).join(", ");
}

import { count } from "../../src/cli/terminal/format.ts";
import { table } from "../../src/cli/terminal/table.ts";
import { inkFor, type Sink } from "../../src/cli/terminal/terminal.ts";
import type { Door } from "./doors.ts";
import type { Sight } from "./wait-visible.ts";

export type Told = { org: string; name: string; doors: Map<Door, number>; sight: Sight };

const DOOR_NAMES: Record<Door, string> = { direct: "direct HTTPS", queue: "queue", binding: "service binding" };

/** What the demo has made: counts of each org, side by side. */
export function counts(told: readonly Told[], sink: Sink): string {
  const ink = inkFor(sink);
  const row = (name: string, of: (one: Told) => number) => [ink.dim(name), ...told.map((one) => count(of(one)))];
  const categories = [...new Set(told.flatMap((one) => [...one.sight.categories.keys()]))].sort();
  const results = ["denied", "failure"];
  const rows = [
    ["", ...told.map((one) => ink.bold(one.org))],
    row("events", (one) => one.sight.events),
    ...(Object.keys(DOOR_NAMES) as Door[]).map((door) =>
      row(`  by ${DOOR_NAMES[door]}`, (one) => one.doors.get(door) ?? 0),
    ),
    ...categories.map((name) => row(name, (one) => one.sight.categories.get(name) ?? 0)),
    ...results.map((name) => row(name, (one) => one.sight.results.get(name) ?? 0)),
  ];
  return table(
    rows,
    told.map((_, n) => n + 1),
  );
}

/** Commands worth trying next, each with what it shows. */
export function commands(url: string, sink: Sink): string {
  const ink = inkFor(sink);
  const events = `${url}/v1/orgs/northwind/events`;
  const curl = (query: string) => `curl -s '${events}${query}' -H "Authorization: Bearer $INDELIBLE_KEY"`;
  const tries = [
    ["Who is Jane, and what did she do?", curl("?actor=u_101&limit=5")],
    [
      "Changes to the configuration, oldest first, with before and after",
      curl("?category=config_change&order=asc&limit=5"),
    ],
    ["Everything about one document", curl("?target=d_1001")],
    ["One entry by its id: 19-digit numbers come back whole", curl("/demo-northwind-00001")],
    ["Who has been reading this log? You, just now", curl("?action=indelible.*&limit=5")],
    ["Check the whole log again", "npm run verify -- --org northwind"],
  ];
  const key = `export INDELIBLE_KEY=$(sed -n 's/^ROOT_KEY=//p' .dev.vars)`;
  return `  ${ink.bold("What to look at")}\n\n${key}\n${tries.map(([what, command]) => `\n  ${ink.dim(what ?? "")}\n${command}\n`).join("")}\n`;
}

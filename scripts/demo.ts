import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { connectionOf } from "../src/cli/options.ts";
import { EXIT, type ExitCode, type Failure, type Outcome } from "../src/cli/outcome.ts";
import { count } from "../src/cli/terminal/format.ts";
import { showProgress } from "../src/cli/terminal/progress.ts";
import { inkFor, processTerminal, type Terminal } from "../src/cli/terminal/terminal.ts";
import { runVerify } from "../src/cli/verify.ts";
import { startBindingWorker } from "./demo/binding-worker.ts";
import { call } from "./demo/call.ts";
import { asValues, type Door, handOver } from "./demo/doors.ts";
import { commands, counts, type Told } from "./demo/look-at.ts";
import { type StoryEvent, storyOf } from "./demo/story.ts";
import { waitVisible } from "./demo/wait-visible.ts";
import { steps } from "./start/steps.ts";

const ORGS = [
  { org: "northwind", name: "Northwind Traders", events: 2_600, people: 16 },
  { org: "initech", name: "Initech", events: 1_400, people: 9 },
] as const;

const CHUNK_EVENTS = 100;
/** Which door each chunk takes, over and over. */
const DOORS: readonly Door[] = ["direct", "queue", "direct", "binding", "queue", "direct", "binding"];

type Service = { url: string; key: string };
type Chunk = { org: string; door: Door; events: StoryEvent[] };

/** `npm run demo`: two orgs full of events, through all doors, verified. A second run adds nothing. */
async function demo(env: NodeJS.ProcessEnv, terminal: Terminal): Promise<ExitCode> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const ink = inkFor(terminal.out);
  const fail = ({ what, remedy }: Failure) => {
    terminal.err.write(`${inkFor(terminal.err).red("✗")} ${what}; ${remedy}\n`);
    return EXIT.failed;
  };
  const connection = connectionOf({ org: ORGS[0].org }, { env, directory: root });
  if (!connection.ok) return fail(connection.failure);
  const service = connection.value;
  const up = await fetch(`${service.url}/healthz`).catch(() => null);
  if (up === null)
    return fail({
      what: `nothing answers at ${service.url}`,
      remedy: "start the service in another window: npm start",
    });

  terminal.out.write(`\n  ${ink.bold("Indelible demo")} ${ink.dim(`at ${service.url}`)}\n\n`);
  const show = steps(terminal.out);
  for (const { org, name } of ORGS) {
    const created = await call(service, `/v1/orgs/${org}`, { method: "PUT", body: JSON.stringify({ name }) });
    if (!created.ok) return fail(created.failure);
  }
  show.done("orgs", ORGS.map(({ org }) => org).join(", "));

  const state = resolve(root, env["STATE_DIR"] || ".wrangler/state");
  const second = await show.during(
    "second Worker",
    startBindingWorker({ root, state }).then((worker) => ({
      ok: true as const,
      note:
        worker.url === null
          ? `not there (${worker.why}): two doors instead of three`
          : "reaches the log through its service binding",
      worker,
    })),
  );
  try {
    const told = await tell({ service, bindingUrl: second.worker.url, terminal });
    if (!told.ok) return fail(told.failure);
    show.done("events", `${count(told.value.reduce((sum, one) => sum + one.sight.events, 0))} sealed and visible`);
    terminal.out.write(`\n${counts(told.value, terminal.out)}\n`);
    return await verifyAll({ env, root, service, terminal });
  } finally {
    second.worker.stop();
  }
}

/** Hands the stories over, door beside door, and waits until all of them can be read back. */
async function tell({
  service,
  bindingUrl,
  terminal,
}: {
  service: Service;
  bindingUrl: string | null;
  terminal: Terminal;
}): Promise<Outcome<Told[]>> {
  const stories = ORGS.map((one) => ({
    ...one,
    doors: new Map<Door, number>(),
    chunks: chunksOf(one, bindingUrl !== null),
  }));
  const total = ORGS.reduce((sum, one) => sum + one.events, 0);
  let handed = 0;
  const visible = new Map<string, number>();
  const seen = () => [...visible.values()].reduce((sum, n) => sum + n, 0);
  const progress = showProgress(terminal.err, () => ({
    fraction: (handed + seen()) / (2 * total),
    done: handed,
    unit: "events handed over",
    notes: seen() > 0 ? [`${count(seen())} visible`] : [],
    waiting: null,
  }));
  try {
    const lanes = (["direct", "queue", "binding"] as const).map(async (door) => {
      for (const story of stories) {
        for (const chunk of story.chunks.filter((one) => one.door === door)) {
          const done = await handOver(door, { ...chunk, service, bindingUrl });
          if (!done.ok) return done;
          handed += chunk.events.length;
          story.doors.set(door, (story.doors.get(door) ?? 0) + chunk.events.length);
        }
      }
      return null;
    });
    const failure = (await Promise.all(lanes)).find((lane) => lane !== null);
    if (failure) return failure;
    const told: Told[] = [];
    for (const { org, name, events, doors } of stories) {
      const sight = await waitVisible({ service, org, events, onSeen: (n) => visible.set(org, n) });
      if (!sight.ok) return sight;
      told.push({ org, name, doors, sight: sight.value });
    }
    return { ok: true, value: told };
  } finally {
    progress.stop();
  }
}

function chunksOf({ org, events, people }: (typeof ORGS)[number], binding: boolean): Chunk[] {
  const story = storyOf(org, { events, people });
  const chunks: Chunk[] = [];
  for (let at = 0; at < story.length; at += CHUNK_EVENTS) {
    const door = DOORS[chunks.length % DOORS.length] as Door;
    const told = story.slice(at, at + CHUNK_EVENTS);
    // By whichever door they go in the end: what is meant for the binding reads the same on every run.
    if (door === "binding") chunks.push({ org, door: binding ? door : "direct", events: told.map(asValues) });
    else chunks.push({ org, door, events: told });
  }
  return chunks;
}

/** The reports of other commands, in line with the steps above them. */
function indented({ out, err }: Terminal): Terminal {
  return { err, out: { ...out, write: (text) => out.write(text.replace(/^(?=.)/gm, "  ")) } };
}

type Verifying = { env: NodeJS.ProcessEnv; root: string; service: Service; terminal: Terminal };

async function verifyAll({ env, root, service, terminal }: Verifying): Promise<ExitCode> {
  let worst: ExitCode = EXIT.good;
  for (const { org } of ORGS) {
    const around = { env, directory: root, terminal: indented(terminal), signal: new AbortController().signal };
    const verified = await runVerify(["--org", org, "--url", service.url], around);
    if (verified.ok) worst = verified.value > worst ? verified.value : worst;
    else {
      terminal.err.write(
        `${inkFor(terminal.err).red("✗")} ${org}: ${verified.failure.what}; ${verified.failure.remedy}\n`,
      );
      worst = EXIT.failed;
    }
  }
  terminal.out.write(`\n${commands(service.url, terminal.out)}`);
  return worst;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exit(await demo(process.env, processTerminal(process.env)));
}

import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readDevVars } from "../src/cli/dev-vars.ts";
import { inkFor, processTerminal, type Sink } from "../src/cli/terminal/terminal.ts";
import { applyMigrations } from "./start/migrations.ts";
import { portTaken } from "./start/port.ts";
import { topUpSecrets } from "./start/secrets.ts";
import { type Service, startService } from "./start/service.ts";
import { steps } from "./start/steps.ts";
import { welcome } from "./start/welcome.ts";

const CRON_MS = 60_000;

/** `npm start`: the whole service on this machine, with real (local) bindings. Resolves with the exit code. */
async function start(env: NodeJS.ProcessEnv, out: Sink): Promise<number> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const port = Number(env["PORT"] || 8787);
  const state = resolve(root, env["STATE_DIR"] || ".wrangler/state");
  const show = steps(out);
  const fail = (message: string) => {
    out.write(`${inkFor(out).red("✗")} ${message}\n`);
    return 1;
  };
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return fail(`PORT=${env["PORT"]} is not a port; give one from 1 to 65535`);

  out.write(`\n  ${inkFor(out).bold("Indelible")}\n\n`);
  const taken = await portTaken(port);
  if (taken !== null) return fail(taken);

  const added = await topUpSecrets(root);
  show.done("secrets", added.length === 0 ? "from .dev.vars" : `${added.join(", ")} written to .dev.vars`);

  const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
  const migrated = await show.during("database migrations", applyMigrations({ root, state, wrangler }));
  if (!migrated.ok) return fail(migrated.message);

  const service = startService({ root, state, port, wrangler });
  endWithUs(service);
  const ready = await show.during("service", service.ready);
  if (!ready.ok) {
    await service.stop();
    return fail(ready.message);
  }
  const cron = setInterval(() => void runCron(service.url), CRON_MS);
  cron.unref();
  const key = readDevVars(root)["ROOT_KEY"] ?? "";
  out.write(welcome({ url: service.url, key, log: service.log, sink: out }));
  const ended = await service.ended;
  clearInterval(cron);
  if (ended.byUs) return 0;
  return (
    fail(`the service ended by itself (code ${ended.code}); its last words are in ${service.log}`) && (ended.code || 1)
  );
}

/** The watchdog's minute: local workerd does not trigger schedules by itself. */
async function runCron(url: string): Promise<void> {
  const cron = encodeURIComponent("* * * * *");
  await fetch(`${url}/cdn-cgi/local/scheduled?cron=${cron}`, { signal: AbortSignal.timeout(CRON_MS) }).catch(
    () => null,
  );
}

/** However we end, the service does: by Ctrl-C, by a signal, or because npm, which started us, is gone. */
function endWithUs(service: Service): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => void service.stop());
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  // npm passes no SIGTERM on: without this the service would keep the port after `kill` of npm.
  setInterval(() => process.ppid !== parent && void service.stop(), 500).unref();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exit(await start(process.env, processTerminal(process.env).out));
}

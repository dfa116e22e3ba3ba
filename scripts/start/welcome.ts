import { table } from "../../src/cli/terminal/table.ts";
import { inkFor, type Sink } from "../../src/cli/terminal/terminal.ts";

/** What to know when the service is up: where it is, the key, three commands to try, and what is running. */
export function welcome({ url, key, log, sink }: { url: string; key: string; log: string; sink: Sink }): string {
  const ink = inkFor(sink);
  const heads = table([
    [ink.dim("url"), ink.bold(url)],
    [ink.dim("root key"), ink.bold(key)],
    [ink.dim("api"), `${url}/openapi.json`],
    [ink.dim("log"), log],
  ]);
  const running = table([
    [ink.dim("ledger"), "one Durable Object per org, the only writer of its chain"],
    [ink.dim("D1 × 3"), "the directory and two cells: what search and lists read"],
    [ink.dim("R2"), "the archive: segments, tiles, checkpoints, dead letters"],
    [ink.dim("queue"), "hand over and go on, with its dead-letter queue"],
    [ink.dim("cron"), "the watchdog, once a minute"],
  ]);
  return `
${heads}
  ${ink.bold("Try it")} ${ink.dim("(create an org, append an event, list the log)")}

${commands(url, key)}

  ${ink.bold("What is running")} ${ink.dim("(all on this machine)")}

${running}
  ${ink.dim("Two orgs full of events: npm run demo · real logs: npm run import -- --help · Ctrl-C stops")}

`;
}

/** Copy-paste commands: one line each, so that no shell breaks them. */
function commands(url: string, key: string): string {
  const auth = '-H "Authorization: Bearer $INDELIBLE_KEY"';
  const json = '-H "Content-Type: application/json"';
  const event =
    '{"action":"document.share","actor":{"type":"user","id":"u_17"},"targets":[{"type":"document","id":"d_9"}]}';
  return [
    `export INDELIBLE_KEY=${key}`,
    `curl -X PUT ${url}/v1/orgs/acme ${auth} ${json} -d '{"name":"Acme"}'`,
    `curl ${url}/v1/orgs/acme/events ${auth} ${json} -d '${event}'`,
    `curl ${url}/v1/orgs/acme/events ${auth}`,
  ].join("\n");
}

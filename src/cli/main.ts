#!/usr/bin/env node
import { runExport } from "./export.ts";
import { runImport } from "./import.ts";
import { EXIT, type ExitCode, type Outcome } from "./outcome.ts";
import { printable } from "./terminal/printable.ts";
import { inkFor, processTerminal, type Terminal } from "./terminal/terminal.ts";
import { runVerify } from "./verify.ts";

const HELP = `Indelible: audit logs that cannot be quietly rubbed out.

  npm run import -- --help    bring logs of other systems into an org
  npm run export -- --help    get entries out, or all of an org
  npm run verify -- --help    verify a proof, a log, an export, or a copy
`;

// What ends with 1 is a verdict: a fault of the command itself could not check anything.
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  const lines = (error.stack ?? String(error)).split("\n").map(printable);
  // Who read the output has left: there is nobody to tell.
  if (error.code !== "EPIPE") process.stderr.write(`✗ this command broke: ${lines.join("\n")}\n`);
  process.exit(EXIT.failed);
});

process.exitCode = await main(process.argv.slice(2), processTerminal(process.env));

async function main([verb, ...args]: string[], terminal: Terminal): Promise<ExitCode> {
  const around = {
    env: process.env,
    directory: process.cwd(),
    stdin: process.stdin,
    terminal,
    signal: stopSignal(),
  };
  switch (verb) {
    case "import":
      return exitOf(await runImport(args, around), terminal);
    case "export":
      return exitOf(await runExport(args, around), terminal);
    case "verify":
      return exitOf(await runVerify(args, around), terminal);
    case undefined:
    case "help":
    case "--help":
    case "-h":
      terminal.out.write(HELP);
      return verb === undefined ? EXIT.failed : EXIT.good;
  }
  return exitOf(
    { ok: false, failure: { what: `there is no command ${verb}`, remedy: "use import, export or verify" } },
    terminal,
  );
}

function exitOf(outcome: Outcome<ExitCode>, { err }: Terminal): ExitCode {
  if (outcome.ok) return outcome.value;
  const { what, remedy } = outcome.failure;
  // Much of it may be somebody else's words.
  err.write(`${inkFor(err).red("✗")} ${printable(what)}; ${printable(remedy)}\n`);
  return EXIT.failed;
}

/** The first Ctrl-C stops in order, so that progress is kept; the second one ends at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.failed);
      controller.abort();
    });
  }
  return controller.signal;
}

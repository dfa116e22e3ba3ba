/** One stream of the terminal. `live`: it is a screen whose last line may be redrawn, and that shows colours. */
export type Sink = { write: (text: string) => void; live: boolean; columns: () => number };

/** Results go to `out`, progress and errors to `err`. */
export type Terminal = { out: Sink; err: Sink };

export function processTerminal(env: Record<string, string | undefined>): Terminal {
  const sink = (stream: NodeJS.WriteStream): Sink => ({
    write: (text) => void stream.write(text),
    live: stream.isTTY === true && env["TERM"] !== "dumb" && !env["NO_COLOR"],
    columns: () => stream.columns || 80,
  });
  return { out: sink(process.stdout), err: sink(process.stderr) };
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Ink = Record<keyof typeof CODES, (text: string) => string>;

/** Colours for a sink; plain text where it shows none. */
export function inkFor(sink: Sink): Ink {
  const paint = (code: number) => (text: string) => (sink.live ? `\u001b[${code}m${text}\u001b[0m` : text);
  return Object.fromEntries(Object.entries(CODES).map(([name, code]) => [name, paint(code)])) as Ink;
}

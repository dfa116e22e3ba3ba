/** What the Workers of the ladder do, in order: each all that the one before does, but for where it calls. */
export const RUNGS = [
  "answers and does nothing",
  "+ reads the body",
  "+ answers a receipt as JSON",
  "+ writes a log line, after the answer",
  "+ parses, validates and cuts",
  "+ a call to a Durable Object of its own",
  "instead, a call shared with others",
  "+ which stores: a row a call, a receipt a request",
] as const;

export type RungName = (typeof RUNGS)[number];

import { LIST, NEWLINE, OBJECT } from "./brackets.ts";

/** One record of a file as its exact bytes. `fault` says why it cannot be a record; `bytes` is then what was there. */
export type SourceRecord = { number: number; line: number; offset: number; bytes: Uint8Array; fault?: string };

/** Where the next line begins that has a bracket in its first column, as a record of its own has; -1 when none does. */
export function nextRecordLine(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    const first = bytes[at + 1];
    if (first === OBJECT || first === LIST) return at + 1;
  }
  return -1;
}

export function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === NEWLINE) lines++;
  return lines;
}

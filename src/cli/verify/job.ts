import type { NoteKey } from "../../chain/note/note-key.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** What every independent verification is told. */
export type Job = {
  keys: NoteKey[];
  /** The folder of what is remembered. */
  memory: string;
  json: boolean;
  complete: boolean;
  /** A checkpoint kept earlier: the name of its file, and its text. */
  since: { name: string; note: string } | null;
  /** The text of the last checkpoint of the log that the one named continues; null when nobody gave it. */
  predecessor: string | null;
  terminal: Terminal;
  signal: AbortSignal;
};

/** What no proof can show, in the words of every report. */
export const NOT_PROVEN = {
  time: "· when it happened: every time here is the word of whoever wrote it; only a witness's cosignature bounds it",
  fork: "· that nobody was shown another history: compare this checkpoint with somebody else's",
  newer: "· what is newer than this checkpoint",
  log: "· that the log was not forked or cut since: verify the log itself, at its address",
} as const;

import type { Load } from "./load/load.ts";
import type { Client } from "./service/client.ts";
import type { Service } from "./service/start.ts";
import type { FilledLog } from "./fill.ts";
import type { Sample } from "./sample.ts";

/** What sections measure with. */
export type Bench = {
  service: Service;
  client: Client;
  load: Load;
  /** A folder of this run, removed at its end. */
  folder: string;
  /** Where `search` keeps what it filled, and finds it again; null: nowhere. */
  keep: string | null;
  /** How many entries the large logs have. */
  entries: number;
  rounds: number;
  /** Whether rounds are short. */
  quick: boolean;
  /** How long one round of one measurement takes. */
  roundMs: number;
  /** The org that is listed and verified, filled when it is asked for first. */
  filled: () => Promise<FilledLog>;
  /** Says what is being done; the line is overwritten by the next. */
  say: (text: string) => void;
};

/** A cell is a text or the sample of a number; `digits` after the point are shown. */
export type Cell = string | { sample: Sample; digits: number };

/** One table of results, as it is shown and saved. */
export type Table = { title: string; head: string[]; rows: Cell[][]; notes: string[] };

export function cell(sample: Sample, digits = 0): Cell {
  return { sample, digits };
}

import type { Unsaid } from "../schema/keep.ts";
import type { Quarantine, SwitchOf } from "../schema/reads.ts";
import { type Closed, loadSwitches, saveSwitch } from "./closed.ts";

/** What stands for words that went, in lists as in what comes back from the log. */
export function wordsGone(cause: Unsaid["cause"]): string {
  return `(${cause})`;
}

/**
 * Has the ledger's own lists forget the words of acts whose notes went from the log of this number: reasons of quarantines and their notes, of
 * closed reads and of the wish to open them, of released holds. Runs in a transaction; switches have to be loaded anew after it.
 */
export function forgetWords(sql: SqlStorage, { log, acts }: { log: number; acts: readonly Unsaid[] }): void {
  for (const act of acts) FORGETS[act.action]?.(sql, { ...act, log, words: wordsGone(act.cause) });
}

type Going = Unsaid & { log: number; words: string };

const FORGETS: Record<string, (sql: SqlStorage, act: Going) => void> = {
  // What one asks for may quote a person as well; while it stands, its words are what it covers.
  "indelible.hold.placed": (sql, { target, words }) =>
    sql.exec(
      "update hold set reason = ?, scope = json_set(scope, '$.query', '') where id = ? and released is not null",
      words,
      target,
    ),
  "indelible.hold.released": (sql, { target, words }) =>
    sql.exec("update hold set released = json_set(released, '$.reason', ?) where id = ?", words, target),
  "indelible.quarantine.placed": (sql, { target, words }) =>
    sql.exec("update quarantine set reason = ? where id = ?", words, target),
  "indelible.quarantine.released": (sql, { target, words }) =>
    sql.exec("update quarantine set released = json_set(released, '$.reason', ?) where id = ?", words, target),
  "indelible.quarantine.annotated": (sql, { target, at, words }) => {
    const [row] = sql.exec<{ notes: string }>("select notes from quarantine where id = ?", target).toArray();
    const notes = JSON.parse(row?.notes ?? "[]") as Quarantine["notes"];
    const left = notes.map((one) => (Date.parse(one.at) === at ? { ...one, note: words } : one));
    sql.exec("update quarantine set notes = ? where id = ?", JSON.stringify(left), target);
  },
  "indelible.reads.disabled": (sql, { log, index, words }) =>
    changeClosed(sql, (closed) => {
      const { entry } = closed;
      return entry.log === log && entry.index === index ? { ...closed, reason: words } : closed;
    }),
  "indelible.reads.enable_requested": (sql, { at, words }) =>
    changeClosed(sql, (closed) => {
      const { wish } = closed;
      return wish?.at === at ? { ...closed, wish: { ...wish, reason: words } } : closed;
    }),
};

function changeClosed(sql: SqlStorage, change: (closed: Closed) => Closed): void {
  for (const [of, closed] of Object.entries(loadSwitches(sql)) as [SwitchOf, Closed | null][]) {
    if (closed !== null) saveSwitch(sql, of, change(closed));
  }
}

import type { Planning } from "./sequencer.ts";

/**
 * Seals what was not sealed under this name before, and answers the index of the first (null: nothing was sealed). Names are the service's own and
 * lie apart from those of batches: whoever may name a batch takes none of them. What somebody else named begins with a word that says so.
 */
export function planOnce<N extends number | null>(
  { sql, draft, receipts }: Pick<Planning, "draft" | "receipts"> & { sql: SqlStorage },
  name: string,
  seal: () => N,
): N | number {
  const before = receipts.once.get(name) ?? findOnce(sql, name);
  if (before !== null) return before;
  const first = seal();
  if (first === null) return first;
  receipts.once.set(name, first);
  draft.write((target) => {
    target.exec("insert into sealed_once (name, first) values (?, ?)", name, first);
  });
  return first;
}

function findOnce(sql: SqlStorage, name: string): number | null {
  const [row] = sql.exec<{ first: number }>("select first from sealed_once where name = ?", name).toArray();
  return row?.first ?? null;
}

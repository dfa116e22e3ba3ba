import { edited, makeLog, OTHER_LOG } from "./support.ts";

export const SIZE = 10;
export const log = makeLog(Array.from({ length: SIZE }, () => ({})));
export const foreign = makeLog(
  Array.from({ length: SIZE + 3 }, () => ({})),
  { log: OTHER_LOG },
);
export const row = (index: number) => log.rows[index]!;
export const without = (...indexes: number[]) => log.rows.filter(({ index }) => !indexes.includes(index));
export const moved = (from: number, to: number) => ({ ...row(from), index: to });
export const withLeaf = (index: number, change: (leaf: string) => string) =>
  edited(row(index), (value) => {
    value.leaf = change(value.leaf);
  });

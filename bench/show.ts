import { table } from "../src/cli/terminal/table.ts";
import type { Cell, Table } from "./bench.ts";

/** A table as it stands in the terminal and, but for its indent, in the README. */
export function showTable({ title, head, rows, notes }: Table): string {
  const shown = rows.map((row) => row.map(textOf));
  const right = head.map((_, n) => n).slice(1);
  return `\n${title}\n\n${table([head, ...shown], right)}${notes.map((note) => `\n  ${note}`).join("")}\n`;
}

/** The median, and behind it the lowest and the highest round when there were several. */
function textOf(cell: Cell): string {
  if (typeof cell === "string") return cell;
  const { median, min, max, rounds } = cell.sample;
  const format = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: cell.digits,
    maximumFractionDigits: cell.digits,
  });
  if (Number.isNaN(median)) return "–";
  return rounds > 1 ? `${format.format(median)} (${format.format(min)}–${format.format(max)})` : format.format(median);
}

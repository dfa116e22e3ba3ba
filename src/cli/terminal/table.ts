import { stripVTControlCharacters } from "node:util";

/** Rows in aligned columns, indented by two; `right` names the columns whose numbers end at one edge. */
export function table(rows: string[][], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, n) => {
      widths[n] = Math.max(widths[n] ?? 0, width(cell));
    });
  }
  const lines = rows.map((row) =>
    row
      .map((cell, n) => {
        const space = " ".repeat((widths[n] ?? 0) - width(cell));
        return right.includes(n) ? space + cell : cell + space;
      })
      .join("   ")
      .trimEnd(),
  );
  return lines.map((line) => `  ${line}\n`).join("");
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

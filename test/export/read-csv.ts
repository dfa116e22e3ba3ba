import { expect } from "vitest";

/** RFC 4180, strictly: every line ends in CRLF, and nothing stands beside quotes. Then our guard is taken away, and what is JSON is read. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let field = "";
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (at >= text.length) throw new Error("a quoted field is not closed");
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') field += text[at++];
        else break;
      }
      at++;
    } else {
      const end = /[",\r\n]/.exec(text.slice(at));
      if (end === null || text[at + end.index] === '"') throw new Error("a field is not as it has to be");
      field = text.slice(at, (at += end.index));
    }
    row.push(field);
    if (text[at] === ",") at++;
    else if (text.startsWith("\r\n", at)) {
      rows.push(row);
      row = [];
      at += 2;
      continue;
    } else throw new Error(`something follows a field: ${JSON.stringify(text.slice(at, at + 9))}`);
    if (at >= text.length) throw new Error("the last line does not end");
  }
  for (const fields of rows) for (const field of fields) if (/^[=+\-@\t\r\n]/.test(field)) throw new Error("a formula");
  return rows.map((fields) => fields.map(valueOf));
}

function valueOf(field: string): string {
  const text = field.startsWith("'") ? field.slice(1) : field;
  return field.startsWith("json:") ? JSON.parse(field.slice(5)) : text;
}

/** The lines of a CSV file by the names of their columns, as they were before the guard against formulas. */
export function tableOf(text: string): Record<string, string>[] {
  const [names = [], ...rows] = parseCsv(text);
  return rows.map((row) => {
    expect(row.length).toBe(names.length);
    return Object.fromEntries(names.map((name, n) => [name, row[n] ?? ""]));
  });
}

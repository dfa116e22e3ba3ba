import { stripVTControlCharacters } from "node:util";
import { inkFor, type Sink } from "./terminal.ts";

/** A label and what is to be said beside it, a paragraph each; an empty paragraph is an empty line. */
export type Fact = [label: string, ...paragraphs: string[]];

const INDENT = "  ";
const GAP = "   ";
/** A text wider than this is hard to read, however wide the screen. */
const TEXT_MAX_COLUMNS = 100;
const TEXT_MIN_COLUMNS = 24;

/** Labels in one column, texts in another, wrapped at words; on a narrow screen a text stands under its label. */
export function facts(all: readonly Fact[], sink: Sink): string {
  const ink = inkFor(sink);
  const labels = Math.max(0, ...all.map(([label]) => label.length));
  const room = sink.columns() - 1 - INDENT.length;
  const beside = room - labels - GAP.length >= TEXT_MIN_COLUMNS;
  const width = Math.min(TEXT_MAX_COLUMNS, beside ? room - labels - GAP.length : room - INDENT.length);
  let text = "";
  for (const [label, ...paragraphs] of all) {
    const lines = paragraphs.flatMap((paragraph) => wrapped(paragraph, width));
    if (!beside && label !== "") text += `${INDENT}${ink.dim(label)}\n`;
    for (const [n, line] of lines.entries()) {
      const head = beside ? ink.dim((n === 0 ? label : "").padEnd(labels)) + GAP : INDENT;
      text += line === "" ? "\n" : `${INDENT}${head}${line}\n`;
    }
  }
  return text;
}

/** The words of a text in lines of at most so many columns. A longer word is left whole: it may have to be copied. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (line === "" || widthOf(joined) <= columns) {
      line = joined;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/**
 * The source text of the value a pointer leads to, character for character, or undefined when nothing is there.
 * Of a repeated member the last one counts, as in `JSON.parse`. `text` must be valid JSON.
 */
export function sourceAt(text: string, steps: readonly string[]): string | undefined {
  let at = skipSpace(text, 0);
  for (const step of steps) {
    const next = text[at] === "{" ? memberAt(text, at, step) : text[at] === "[" ? itemAt(text, at, step) : -1;
    if (next === -1) return undefined;
    at = next;
  }
  return text.slice(at, skipValue(text, at));
}

function memberAt(text: string, open: number, name: string): number {
  let found = -1;
  let at = skipSpace(text, open + 1);
  while (text[at] !== "}") {
    const nameEnd = skipString(text, at);
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    if (isName(text.slice(at, nameEnd), name)) found = value;
    at = skipSpace(text, skipValue(text, value));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}

function isName(source: string, name: string): boolean {
  if (!source.includes("\\")) return source.length === name.length + 2 && source.startsWith(name, 1);
  return JSON.parse(source) === name;
}

function itemAt(text: string, open: number, step: string): number {
  if (!/^(0|[1-9]\d*)$/.test(step)) return -1;
  let left = Number(step);
  let at = skipSpace(text, open + 1);
  while (text[at] !== "]") {
    if (left-- === 0) return at;
    at = skipSpace(text, skipValue(text, at));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return -1;
}

function skipValue(text: string, start: number): number {
  if (text[start] === '"') return skipString(text, start);
  if (text[start] !== "{" && text[start] !== "[") return skipScalar(text, start);
  let depth = 0;
  for (let at = start; ; at++) {
    const character = text[at];
    if (character === '"') at = skipString(text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) return at + 1;
  }
}

function skipScalar(text: string, start: number): number {
  let at = start;
  while (at < text.length && !" \t\r\n,]}".includes(text.charAt(at))) at++;
  return at;
}

function skipString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

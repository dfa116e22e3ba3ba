/** Controls, invisible and direction-changing characters, line ends of every kind, lone surrogates. */
const HIDDEN_PATTERN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** A text of somebody else's for the terminal: nothing in it moves the cursor, hides, or reads backwards. */
export function printable(text: string): string {
  return text.replaceAll(HIDDEN_PATTERN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same of a JSON text, whose value stays as it is: inside strings, where alone hidden characters may stand, they become escapes. */
export function printableJson(text: string): string {
  return text.replaceAll(HIDDEN_PATTERN, (character) => (/[\t\n\r]/.test(character) ? character : escapeOf(character)));
}

function escapeOf(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

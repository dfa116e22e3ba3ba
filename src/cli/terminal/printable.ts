/** Controls, invisible and direction-changing characters, line ends of every kind, lone surrogates. */
const HIDDEN_PATTERN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** A text of somebody else's for the terminal: nothing in it moves the cursor, hides, or reads backwards. */
export function printable(text: string): string {
  return text.replaceAll(HIDDEN_PATTERN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

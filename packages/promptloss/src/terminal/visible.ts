// Text with what a terminal would not show, or would obey, made visible: line breaks, control characters, and
// characters without width or that turn the direction of the text. Joiners stay, as emoji are made with them.

/** Where the pictures of the control characters begin: ␀ to ␟. */
const PICTURES = 0x2400;
const DELETE = 0x7f;

const NAMED: Readonly<Record<string, string>> = { "\n": "⏎", "\r": "␍", "\t": "⇥" };

/** C0, DEL, C1, soft hyphen, zero-width space, marks and overrides of direction, separators, byte order mark. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** What a terminal would obey: of those above, without line breaks and tabs and what has no effect but on looks. */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function pictureOf(character: string): string {
  const code = character.codePointAt(0)!;
  const named = NAMED[character];
  if (named !== undefined) return named;
  if (code < 0x20) return String.fromCodePoint(PICTURES + code);
  return code === DELETE ? "␡" : `<U+${hex(code)}>`;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, "0");
}

/** For text that is looked at for its own sake, or that has to stay on one line: all that is hidden is shown. */
export function visible(text: string): string {
  return text.replace(HIDDEN, pictureOf);
}

/** For text on its way to a terminal: what the terminal would obey is shown in its place. */
export function harmless(text: string): string {
  return text.replace(OBEYED, pictureOf);
}

/** JSON as it is, but for characters that a terminal would obey, which are written as JSON's escapes. */
export function harmlessJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    OBEYED,
    (character) => `\\u${hex(character.codePointAt(0)!)}`,
  );
}

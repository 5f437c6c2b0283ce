// Text with what a terminal would not show, or would obey, made visible: line breaks, control characters, and
// characters without width or that turn the direction of the text. Joiners stay, as emoji are made with them.

/** Where the pictures of the control characters begin: ␀ to ␟. */
const PICTURES = 0x2400;
const DELETE = 0x7f;

const NAMED: Readonly<Record<string, string>> = { "\n": "⏎", "\r": "␍", "\t": "⇥" };

/** C0, DEL, C1, soft hyphen, zero-width space, marks and overrides of direction, byte order mark. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

export const visible = (text: string): string =>
  text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0)!;
    if (NAMED[character] !== undefined) return NAMED[character];
    if (code < 0x20) return String.fromCodePoint(PICTURES + code);
    if (code === DELETE) return "␡";
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });

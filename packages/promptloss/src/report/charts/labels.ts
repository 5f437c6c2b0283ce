// Labels that must fit: without a browser nobody knows the font, so a character counts as wide as in a wide one.

/** Of labels of 11 pixels; system fonts differ, DejaVu Sans is the widest of the usual ones. */
export const CHARACTER = 7;

/** With the middle left out where the text is too long: names often differ at their ends. */
export function fitted(text: string, pixels: number): string {
  const characters = [...text];
  const room = Math.max(3, Math.floor(pixels / CHARACTER));
  if (characters.length <= room) return text;
  const tail = Math.floor((room - 1) / 2);
  return `${characters.slice(0, room - 1 - tail).join("")}…${characters.slice(characters.length - tail).join("")}`;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

/** A number on an axis, in nine characters at most: 0.9985, 26000, 250K, 1.5e-4. */
export function tick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(0);
  if (size >= 1e5) return compact.format(value);
  return String(Number(size < 1e-3 ? value.toPrecision(2) : value.toPrecision(6))).replace(
    /^(-?)0\.000\d+$/,
    () => value.toExponential(1).replace(".0e", "e"),
  );
}

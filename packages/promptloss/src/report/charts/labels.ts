// Labels that must fit: without a browser nobody knows the font, so a character counts as wide as in a wide one.

/** Of labels of 11 pixels; system fonts differ, DejaVu Sans is the widest of the usual ones. */
export const CHARACTER = 7;

/** With the middle left out where the text is too long: names often differ at their ends. */
export const fitted = (text: string, pixels: number): string => {
  const characters = [...text];
  const room = Math.max(3, Math.floor(pixels / CHARACTER));
  if (characters.length <= room) return text;
  const tail = Math.floor((room - 1) / 2);
  return `${characters.slice(0, room - 1 - tail).join("")}…${characters.slice(characters.length - tail).join("")}`;
};

// Colors of our own text: picocolors', with the door's key in place of the escape character.
import pc from "picocolors";
import { controlMark } from "./door.ts";
import { harmless } from "./visible.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** The colors that we use. */
export type Ink = Readonly<Record<Style, (text: string | number | null | undefined) => string>> & {
  readonly isColorSupported: boolean;
};

const ESCAPE = "\x1b";

/** @param enabled whether there are colors; as the terminal has them where left out */
export function inkOf(enabled?: boolean): Ink {
  const colors = pc.createColors(enabled);
  const style =
    (name: Style) =>
    (text: string | number | null | undefined): string => {
      const mark = controlMark();
      // Behind the door an escape character inside the text is never ours.
      return mark === ESCAPE
        ? colors[name](text)
        : colors[name](harmless(String(text))).replaceAll(ESCAPE, mark);
    };
  return {
    isColorSupported: colors.isColorSupported,
    bold: style("bold"),
    dim: style("dim"),
    red: style("red"),
    green: style("green"),
    yellow: style("yellow"),
    cyan: style("cyan"),
  };
}

export const ink = inkOf();

/** To the line's beginning, in place of what is there: text that is written over and over. */
export function rewritten(text: string): string {
  return `${controlMark()}[G${text}${controlMark()}[K`;
}

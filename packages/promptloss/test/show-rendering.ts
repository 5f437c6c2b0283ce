// Writes a rendering so that a test can hold it in one string: each span as class⟨text⟩.
import type { Rendering } from "../src/data/templates/index.ts";

export function showRendering({ text, spans }: Rendering): string[] {
  return spans.map(({ start, end, class: tokenClass, weight, scale }) => {
    const given = weight === undefined ? "" : `=${weight}`;
    const mark = `${tokenClass}${given}${scale === undefined ? "" : `*${scale}`}`;
    return `${mark}⟨${text.slice(start, end)}⟩`;
  });
}

/** The text that inference is given for a target. */
export function promptOf(rendering: Rendering, target = 0): string {
  return rendering.text.slice(0, rendering.targets[target]!.start);
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StopStrings } from "./stop-strings.ts";

/** The text up to the piece in which a stop string is whole, cut before the first one. */
function reference(pieces: readonly string[], stops: readonly string[]): [string, boolean] {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (places.length > 0) return [text.slice(0, Math.min(...places)), true];
  }
  return [text, false];
}

function letters(least: number, most: number) {
  return fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: least, maxLength: most });
}

describe("StopStrings", () => {
  it("cuts the text before the first stop string, wherever pieces break", () => {
    fc.assert(
      fc.property(
        fc.array(letters(0, 4), { maxLength: 8 }),
        fc.array(letters(1, 4), { maxLength: 3 }),
        (pieces, stops) => {
          const found = new StopStrings(stops);
          const passed = pieces.map((piece) => found.push(piece).text);
          passed.push(found.end());
          const [text, stopped] = reference(pieces, stops);
          expect(passed.join("")).toBe(text);
          expect(found.stop !== undefined).toBe(stopped);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("holds back no more than may become a stop string", () => {
    const stops = new StopStrings(["\n\n", "END"]);
    expect(stops.push("a word\n")).toEqual({ text: "a word", stop: undefined });
    expect(stops.push("E")).toEqual({ text: "\n", stop: undefined });
    expect(stops.push("N")).toEqual({ text: "", stop: undefined });
    expect(stops.push("d E")).toEqual({ text: "ENd ", stop: undefined });
    expect(stops.push("NDless")).toEqual({ text: "", stop: "END" });
    expect(stops.push("more")).toEqual({ text: "", stop: "END" });
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { html, raw } from "./markup.ts";

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

test("what is put in can be read back and holds no character of HTML's own", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(!text.includes("\0"));
      const { text: written } = html`${text}`;
      expect(written).not.toMatch(/[<>"']/);
      expect(written.replaceAll(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity]!)).toBe(text);
    }),
  );
});

test("markup stays, lists are joined, what is absent leaves nothing", () => {
  expect(html`<p title="${'a"b'}">${[html`<b>${"<"}</b>`, raw("<i>"), 3, undefined, false]}</p>`.text).toBe(
    '<p title="a&quot;b"><b>&lt;</b><i>3</p>',
  );
});

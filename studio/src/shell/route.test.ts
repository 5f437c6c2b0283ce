import fc from "fast-check";
import { expect, test } from "vitest";
import { hrefOf, parseRoute } from "./route.ts";

test("an address comes back as it was made", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(name, fc.array(name), fc.dictionary(name, name), (view, path, query) => {
      const route = parseRoute(hrefOf(view, path, query));
      expect([route.view, route.path, Object.fromEntries(route.query)]).toEqual([view, path, { ...query }]);
    }),
  );
});

test("what is no address is some view's, and does not fail", () => {
  expect(parseRoute("")).toMatchObject({ view: "", path: [] });
  expect(parseRoute("#/%E0%A4%A/x?%")).toMatchObject({ view: "%E0%A4%A", path: ["x"] });
});

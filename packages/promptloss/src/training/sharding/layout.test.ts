import fc from "fast-check";
import { expect, test } from "vitest";
import { layoutOf, piecesOf } from "./layout.ts";

const anyShapes = fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
});

test("the pieces of all processes make up every parameter, once and in order", () => {
  fc.assert(
    fc.property(anyShapes, fc.integer({ min: 1, max: 7 }), (shapes, processes) => {
      const layout = layoutOf(new Map(shapes.map((shape, i) => [`p${i}`, shape])), processes);
      const ends = new Map(layout.places.map(({ name }) => [name, 0]));
      for (let rank = 0; rank < processes; rank++)
        for (const { name, begin, end, at } of piecesOf(layout, rank)) {
          expect(begin).toBe(ends.get(name));
          expect(end).toBeGreaterThan(begin);
          ends.set(name, end);
          const place = layout.places.find((each) => each.name === name)!;
          // Its place in the part is its place in the whole vector.
          expect(rank * layout.share + at).toBe(place.at + begin);
          expect(at + end - begin).toBeLessThanOrEqual(layout.share);
        }
      for (const { name, numel } of layout.places) expect(ends.get(name)).toBe(numel);
      // Filled up by less than an element a process.
      const total = layout.places.reduce((sum, { numel }) => sum + numel, 0);
      expect(layout.share * processes - total).toBeLessThan(processes);
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { SeriesTable } from "../../../packages/promptloss/src/studio/folder/series-table.ts";
import { stepLine } from "../../../packages/promptloss/test/studio/made-run.ts";
import { changedTable, EMPTY_TABLE } from "./series.ts";

test("changes one after the other come to the same table as all at once", () => {
  const parts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(parts, (counts) => {
      const [live, whole] = [new SeriesTable(16), new SeriesTable(16)];
      let table = EMPTY_TABLE;
      let step = 0;
      for (const [i, count] of counts.entries()) {
        for (let k = 0; k < count; k++) {
          const { prompt, ...rest } = stepLine(++step);
          // A column that some parts have alone.
          const line = i % 2 === 0 ? rest : { ...rest, prompt };
          live.add(line as never);
          whole.add(line as never);
        }
        table = changedTable(table, live.change() ?? null);
      }
      expect(table).toEqual(changedTable(EMPTY_TABLE, whole.change()!));
    }),
  );
});

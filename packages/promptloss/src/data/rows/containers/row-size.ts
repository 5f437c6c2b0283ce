// The refusal of a row that is longer than the limit.
import { RowProblem } from "../data-error.ts";

export function rowTooLarge(length: number, maxRowBytes: number): RowProblem {
  return new RowProblem(
    "row-too-large",
    `the row takes ${length} bytes, more than the limit of ${maxRowBytes}`,
    {
      hint: "Is a line end or a closing quote missing? If the row is right, raise maxRowBytes.",
    },
  );
}

// What a score's sampling error leaves once the items' difficulty is taken away, where several cells answer the same items.
// Cells are compared with one another: an item that is hard for all of them moves no difference.

/**
 * Standard errors of cells' mean scores for comparisons among these cells. With x_ic = item_i + cell_c + e_ic, an item's
 * part is the same in all cells and cancels in every difference; what is left is the deviation of e_ic over √items. Over all
 * pairs of cells the mean of s_a² + s_b² is the mean squared standard error of their paired difference.
 * @param values of each cell, the same items in the same order, [cells][items]
 * @returns [cells]; undefined with fewer than two cells or two items, which have nothing to be paired with
 */
export function pairedErrors(values: readonly (readonly number[])[]): number[] | undefined {
  const cells = values.length;
  const items = values[0]?.length ?? 0;
  if (cells < 2 || items < 2) return undefined;
  const means = values.map((own) => own.reduce((sum, x) => sum + x, 0) / items);
  const grand = means.reduce((sum, x) => sum + x, 0) / cells;
  const squares = new Array<number>(cells).fill(0);
  for (let i = 0; i < items; i++) {
    const item = values.reduce((sum, own) => sum + own[i]!, 0) / cells;
    for (let c = 0; c < cells; c++) squares[c]! += (values[c]![i]! - item - means[c]! + grand) ** 2;
  }
  // A cell is part of the items' means: its own deviation there is (1 − 1 / cells) of what it is.
  const share = cells / (cells - 1);
  return squares.map((sum) => Math.sqrt((share * sum) / (items - 1) / items));
}

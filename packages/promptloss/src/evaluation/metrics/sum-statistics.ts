/** Of a corpus: the sums of its items' statistics, place by place. */
export function sumStatistics(all: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(all[0]?.length ?? 0).fill(0);
  for (const each of all)
    each.forEach((value, i) => {
      sums[i]! += value;
    });
  return sums;
}

// Which rows of a batch each rank computes. Pure, and the same on all ranks, so that nobody has to be told.

/**
 * The places in a batch of one rank's rows, in order: the longest row goes first, each to the rank that has the fewest
 * tokens yet. With fewer rows than ranks some get none.
 */
export function shareOf(lengths: readonly number[], rank: number, size: number): number[] {
  const tokens = new Array<number>(size).fill(0);
  const order = lengths.map((_, place) => place).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const own: number[] = [];
  for (const place of order) {
    const next = tokens.indexOf(Math.min(...tokens));
    tokens[next]! += lengths[place]!;
    if (next === rank) own.push(place);
  }
  return own.sort((a, b) => a - b);
}

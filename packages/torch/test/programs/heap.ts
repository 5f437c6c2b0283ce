// Takes and frees 64 MB over and over: page faults of the rounds after the first, with `reusingMemory` and without, and
// what the process still holds of them at the end; before that, what it holds of freed pieces of 16 MB, given back and
// in the heap.
import { ones, returningMemory, reusingMemory, scope, tuneProcess } from "../../src/index.ts";

function rounds(): number {
  const round = (): void => scope(() => void ones([1 << 24]).add(1));
  round();
  const before = process.resourceUsage().minorPageFault;
  for (let i = 0; i < 10; i++) round();
  return process.resourceUsage().minorPageFault - before;
}

/** Of pieces that were freed, below one that is still there. */
function holes(): number {
  const before = process.memoryUsage.rss();
  const pieces = Array.from({ length: 8 }, () => ones([1 << 22]));
  const last = pieces.pop();
  for (const piece of pieces) piece.free();
  const held = process.memoryUsage.rss() - before;
  last?.free();
  return held;
}

tuneProcess();
// First: what a heap has free already, it gives before it asks the system.
let returned: number;
{
  using _memory = returningMemory();
  using _reused = reusingMemory();
  returned = holes();
}
const holed = holes();

const anew = rounds();
const started = process.memoryUsage.rss();
let kept: number;
let held: number;
{
  using _memory = reusingMemory();
  kept = rounds();
  held = process.memoryUsage.rss() - started;
}
const left = process.memoryUsage.rss() - started;
console.log(JSON.stringify({ anew, kept, held, left, returned, holed }));

// Takes and frees 64 MB over and over: page faults of the rounds after the first, with `reusingMemory` and without, and
// what the process still holds of them at the end.
import { ones, reusingMemory, scope, tuneProcess } from "../../src/index.ts";

function rounds(): number {
  const round = (): void => scope(() => void ones([1 << 24]).add(1));
  round();
  const before = process.resourceUsage().minorPageFault;
  for (let i = 0; i < 10; i++) round();
  return process.resourceUsage().minorPageFault - before;
}

tuneProcess();
const anew = rounds();
const started = process.memoryUsage.rss();
let kept: number;
let held: number;
{
  using _memory = reusingMemory();
  kept = rounds();
  held = process.memoryUsage.rss() - started;
}
console.log(JSON.stringify({ anew, kept, held, left: process.memoryUsage.rss() - started }));

// What is measured of the binding; worker.ts and peer.py implement each case alike.

export interface Case {
  readonly name: "add" | "chain" | "matmul-float32" | "matmul-bfloat16";
  readonly title: string;
  /** Iterations a sample. */
  readonly iterations: number;
  /** Floating-point operations an iteration, where they are the point. */
  readonly flop?: number;
  readonly aim: string;
}

export const matmulSize = 2048;
const matmulFlop = 2 * matmulSize ** 3;

export const cases: readonly Case[] = [
  { name: "add", title: "tiny `add`", iterations: 100_000, aim: "ratio ≤ 1, ≤ 3 µs" },
  { name: "chain", title: "50-operator chain with backward", iterations: 300, aim: "—" },
  {
    name: "matmul-float32",
    title: "2048³ product, float32",
    iterations: 2,
    flop: matmulFlop,
    aim: "ratio 1.0",
  },
  {
    name: "matmul-bfloat16",
    title: "2048³ product, bfloat16",
    iterations: 4,
    flop: matmulFlop,
    aim: "ratio 1.0",
  },
];

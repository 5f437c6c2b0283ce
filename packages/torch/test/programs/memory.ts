// Ten thousand forward-backward steps of a small network, and the resident memory on the way.
// `node --expose-gc test/support/typescript.mjs test/programs/memory.ts <scope | using | garbage> [steps]`
import {
  crossEntropy,
  linear,
  manualSeed,
  memory,
  randint,
  randn,
  relu,
  scope,
  type Tensor,
} from "../../src/index.ts";

const [how = "scope", steps = "10000"] = process.argv.slice(2);
const count = Number(steps);

manualSeed(1);
const weights = [randn([64, 32]), randn([64, 64]), randn([10, 64])];
for (const weight of weights) weight.requiresGrad = true;

function forward(input: Tensor): Tensor {
  return weights.reduce((x, weight, i) => linear(i === 0 ? x : relu(x), weight), input);
}

const steppers: Record<string, () => void> = {
  scope: () =>
    scope(() => {
      crossEntropy(forward(randn([16, 32])), randint(0, 10, [16])).backward();
    }),
  using: () => {
    using input = randn([16, 32]);
    using first = linear(input, weights[0]!);
    using active = relu(first);
    using second = linear(active, weights[1]!);
    using again = relu(second);
    using logits = linear(again, weights[2]!);
    using targets = randint(0, 10, [16]);
    using loss = crossEntropy(logits, targets);
    loss.backward();
  },
  // Nothing is freed by hand: finalizers alone, which run between turns of the event loop.
  garbage: () => {
    crossEntropy(forward(randn([16, 32])), randint(0, 10, [16])).backward();
  },
};
const step = steppers[how];
if (step === undefined) throw new Error(`${how} is none of ${Object.keys(steppers).join(", ")}`);

const measured: number[] = [];
for (let i = 0; i < count; i++) {
  step();
  for (const weight of weights) weight.grad = null;
  if (how === "garbage" && i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  if ((i + 1) % (count / 10) === 0) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setImmediate(resolve));
    measured.push(process.memoryUsage.rss());
  }
}
console.log(
  JSON.stringify({ how, steps: count, rss: measured, tensors: memory().tensors, bytes: memory().bytes }),
);

// One rank of a group that a test starts, told by the environment. Arguments: what to do, and seconds of time-out.
// Prints a JSON object: what came of it.
import { spawnSync } from "node:child_process";
import { giveBackMemory, ProcessGroup, ProcessGroupError, takeMemory } from "../../src/distributed/index.ts";
import { full, manualSeed, randn, type Tensor, tensor, zeros } from "../../src/index.ts";

const [what = "", seconds = "20"] = process.argv.slice(2);

function numbers(of: Tensor): number[] {
  return [...of.double().toTypedArray("float64")];
}

const PARTS: Record<string, (group: ProcessGroup) => unknown> = {
  collectives(group) {
    const { rank, size } = group;
    const sum = full([4], rank + 1);
    group.allReduce_(sum);
    const most = tensor([rank, -rank], { dtype: "float64" });
    group.allReduce_(most, "max");
    const several = [
      full([3], rank + 1, { dtype: "float64" }),
      full([2, 2], 10 * rank, { dtype: "float64" }),
    ];
    group.allReduce_(several);
    const halves = full([4], rank + 1, { dtype: "bfloat16" });
    group.allReduce_(halves);
    // As float32, rounded once: 256 + 1 is 256 in bfloat16, and so is that plus 1.
    const rounded = full([2], rank === 0 ? 256 : 1, { dtype: "bfloat16" });
    group.allReduce_(rounded);
    const scattered = group.reduceScatter(full([size], rank === 0 ? 256 : 1, { dtype: "bfloat16" }));
    const moved = (["bfloat16", "int16", "bool"] as const).map((dtype) => {
      const value = tensor([rank, 0, 1], { dtype: "float64" }).to({ dtype });
      const all = group.allGather(value);
      group.broadcast_(value, size - 1);
      return [all.dtype, numbers(all), value.dtype, numbers(value)];
    });
    const sent = full([3], rank === size - 1 ? 7 : 0, { dtype: "int64" });
    group.broadcast_([sent], size - 1);
    const gathered = group.allGather(tensor([rank, rank + 0.5], { dtype: "float64" }));
    const part = group.reduceScatter(
      tensor(
        Array.from({ length: size * 2 }, (_, i) => i * (rank + 1)),
        { dtype: "float64" },
      ),
    );
    group.barrier();
    return {
      sum: numbers(sum),
      most: numbers(most),
      several: several.map(numbers),
      halves: numbers(halves),
      rounded: numbers(rounded),
      scattered: [scattered.dtype, numbers(scattered)],
      moved,
      sent: numbers(sent),
      gathered: [gathered.shape, numbers(gathered)],
      part: numbers(part),
    };
  },
  begun(group) {
    const { rank, size } = group;
    const into = zeros([3 * size], { dtype: "bfloat16" });
    const gathering = group.startAllGather(full([3], rank + 1, { dtype: "bfloat16" }), into);
    const inPlace = full([2 * size], rank + 1, { dtype: "float64" });
    const summing = group.startReduceScatter_(inPlace);
    // Each has its own end, in any order.
    summing.wait();
    gathering.wait();
    group.startAllGather(inPlace.narrow(0, 2 * rank, 2), inPlace).wait();
    return { gathered: numbers(into), summed: numbers(inPlace) };
  },
  kept(group) {
    const { rank, size } = group;
    const own = full([2], rank + 1);
    const whole = zeros([2 * size]);
    group.startAllGather(own, whole).wait();
    const weight = whole.narrow(0, 0, 2 * size).detach();
    weight.requiresGrad = true;
    const inputs = full([2 * size], 3, { requiresGrad: true });
    const product = weight.mul(inputs).sum();
    giveBackMemory(whole);
    takeMemory(whole);
    group.startAllGather(own, whole).wait();
    product.backward();
    return { byInputs: numbers(inputs.grad!), byWeight: numbers(weight.grad!) };
  },
  bits(group) {
    manualSeed(group.rank);
    const value = randn([100_003]);
    group.allReduce_(value);
    return Buffer.from(value.toTypedArray("float32").buffer).toString("base64").slice(-4000);
  },
  killed(group) {
    group.barrier();
    if (group.rank === 1) process.kill(process.pid, "SIGKILL");
    for (;;) group.allReduce_(zeros([10]));
  },
  killedFirst(group) {
    group.barrier();
    if (group.rank === 0) process.kill(process.pid, "SIGKILL");
    for (;;) group.allReduce_(zeros([10]));
  },
  hanging(group) {
    group.barrier();
    // Beats no more, and holds its connections open.
    if (group.rank === 1) process.kill(process.pid, "SIGSTOP");
    for (;;) group.allReduce_(zeros([10]));
  },
  late(group) {
    group.barrier();
    if (group.rank === 1) {
      spawnSync("sleep", [String(2 * Number(seconds))]);
      return "slept";
    }
    group.allReduce_(zeros([10]));
    return undefined;
  },
  leaving(group) {
    group.barrier();
    if (group.rank === 1) {
      group.leave("the disk is full");
      process.exit(3);
    }
    for (;;) group.allReduce_(zeros([10]));
  },
  refused(group) {
    const square = zeros([2, 3]);
    const problems = [
      () => group.allReduce_(square.t()),
      () => group.reduceScatter(zeros([3])),
      () => group.broadcast_([square], 9),
      () => group.startAllGather(zeros([2]), zeros([3])),
      () => giveBackMemory(square.select(0, 1)),
    ].map((body) => {
      try {
        body();
        return "nothing";
      } catch (error) {
        return (error as Error).message;
      }
    });
    // None of them has cost the group anything.
    group.barrier();
    return problems;
  },
  recorded(group) {
    const weight = full([3], group.rank + 1, { requiresGrad: true });
    const square = weight.mul(weight).sum();
    group.broadcast_([weight]);
    try {
      square.backward();
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  },
};

let result: object;
try {
  const group = ProcessGroup.join({ timeout: Number(seconds) });
  const value = PARTS[what]!(group);
  group.close();
  result = { value };
} catch (error) {
  if (!(error instanceof ProcessGroupError)) throw error;
  const { name, message, hint, rank, peers, operation } = error;
  result = { error: { name, message, hint, rank, peers, operation } };
}
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);

// A plan's figures are those that the run then reports, whatever the recipe: rows, held-out rows, steps, tokens,
// trainable parameters. What a plan can't be made of, training refuses for the same reason.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type TrainingFolder, trainingFolder } from "../../../test/training-folder.ts";
import type { TrainingEvent } from "../../training/events/event.ts";
import { runTraining } from "../../training/run-training.ts";
import { planStudy } from "./plan.ts";
import { readStudy } from "./read-study.ts";

let folder: TrainingFolder;
let cache: string;
beforeAll(() => {
  folder = trainingFolder();
  cache = join(folder.path, "cache");
});
afterAll(() => folder.remove());

interface Figures {
  readonly rows: number;
  readonly heldOutRows: number;
  readonly steps: number;
  readonly tokens: number;
  readonly trainable: number;
}

interface Outcome {
  readonly figures?: Figures;
  readonly refusal?: string;
}

/** Long words pass the model's 256 positions; weights of 0 leave rows without a trained token. */
const row = fc.record({
  instruction: fc.nat(120).map((n) => `Say it${" again and again".repeat(n % 40)}, ${n} times.`),
  input: fc.constantFrom("", "Be brief."),
  output: fc
    .record({ words: fc.constantFrom(1, 3, 30, 300), text: fc.constantFrom("red", "green", "") })
    .map(({ words, text }) => Array(words).fill(text).join(" ").trim()),
  weight: fc.constantFrom(1, 1, 1, 0.5, 0),
});

const evaluation = fc.oneof(
  fc.constant(undefined),
  fc.record({ rows: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ fraction: fc.constantFrom(0.1, 0.3, 0.5) }),
  fc.record({ data: fc.constant("held-out.json") }),
);

const recipe = fc.record(
  {
    onBadRow: fc.constantFrom("skip", "skip", "skip", "skip", "skip", "error"),
    maxLength: fc.constantFrom(undefined, undefined, 20, 64, 200),
    overflow: fc.constantFrom(undefined, "drop", "drop", "truncate-prompt", "truncate-completion", "error"),
    loss: fc.record({ promptLossWeight: fc.constantFrom(0, 0, 0.1, 1, "auto") }),
    seed: fc.nat(3),
    evaluation,
    lora: fc.constantFrom(
      undefined,
      undefined,
      undefined,
      undefined,
      { rank: 2 },
      { rank: 3, targets: ["q_proj", "down_proj"] },
      { rank: 2, targets: ["proj"] },
    ),
    training: fc.record(
      {
        epochs: fc.constantFrom(1, 2),
        batchSize: fc.constantFrom(undefined, 3, 7),
        order: fc.constantFrom("random", "length"),
        freeze: fc.constantFrom(undefined, undefined, undefined, ["*.mlp.*"], ["*norm*"], ["nothing*"]),
      },
      { requiredKeys: ["epochs"] },
    ),
  },
  { requiredKeys: ["onBadRow", "loss", "seed", "training"] },
);

function defined(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, defined(each)]])),
      )
    : value;
}

async function planned(file: string): Promise<Outcome> {
  const plan = await planStudy(readStudy(file), { cache });
  const { rows, heldOutRows, steps, tokens, trainable } = plan.cells[0]!;
  return rows === undefined || trainable === undefined
    ? { refusal: plan.notes.join("\n") }
    : { figures: { rows, heldOutRows: heldOutRows!, steps: steps!, tokens: tokens!, trainable } };
}

async function trained(file: string, output: string): Promise<Outcome> {
  const [cell] = readStudy(file).cells;
  const events: TrainingEvent[] = [];
  try {
    await runTraining(
      { ...cell!.recipe, output, checkpoints: { every: "never", keep: 1 } },
      { tokenCache: cache, onEvent: (event) => events.push(event) },
    );
  } catch (error) {
    return { refusal: (error as Error).message };
  }
  const start = events.find((event) => event.type === "start")!;
  const steps = events.filter((event) => event.type === "step");
  const { rows, heldOutRows, trainable } = start;
  const tokens = steps.reduce((sum, step) => sum + step.tokens, 0);
  return { figures: { rows, heldOutRows, steps: steps.length, tokens, trainable } };
}

test("every figure of a plan is the run's own", async () => {
  let runs = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      recipe,
      fc.array(row, { minLength: 6, maxLength: 16 }),
      fc.array(row, { minLength: 2, maxLength: 5 }),
      async (settings, rows, heldOut) => {
        const file = join(folder.path, "study.yaml");
        writeFileSync(join(folder.path, "drawn.json"), JSON.stringify(rows));
        writeFileSync(join(folder.path, "held-out.json"), JSON.stringify(heldOut));
        const base = defined({ model: "model", data: "drawn.json", ...settings });
        let cells: unknown;
        writeFileSync(
          file,
          stringify({
            recipe: base,
            factors: { learningRate: { key: "training.learningRate", levels: [1e-4] } },
            tasks: ["held-out"],
          }),
        );
        try {
          cells = readStudy(file);
        } catch {
          // A recipe that the schema refuses reaches neither.
          return;
        }
        expect(cells).toBeDefined();
        const plan = await planned(file);
        const run = await trained(file, join(folder.path, `run-${runs++}`));
        if (run.refusal === undefined) expect(plan.figures).toEqual(run.figures);
        else {
          refused++;
          expect(plan.figures).toBeUndefined();
          expect(plan.refusal).toContain(run.refusal);
        }
      },
    ),
    { numRuns: 90 },
  );
  // Of both kinds, or the property said nothing.
  expect(runs - refused).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(2);
});

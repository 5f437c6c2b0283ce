// recipes/replication as its study files say to use it: rows written from the shared data, then planned.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { elementsOf, parameterShapes } from "../../src/models/config/parameters.ts";
import { readModelConfig } from "../../src/models/config/read-config.ts";
import { program } from "../command.ts";
import { sharedPath } from "../shared.ts";

const recipes = fileURLToPath(new URL("../../../../recipes/replication/", import.meta.url));
const shared = sharedPath();

type Rows = { prompt: string; completion: string }[];

const FAMILIES = ["llama", "gpt2", "qwen3-moe", "t5", "bart"];

function instructionFiles(...names: string[]): string[] {
  return names.map((name) => join(shared!, "data/instructions", name));
}

needs("shared", shared).describe("the replication", () => {
  let place: string;
  const run = (...args: string[]) =>
    spawnSync(process.execPath, args, { cwd: join(place, "main"), encoding: "utf8" });

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), "replication-"));
    mkdirSync(join(place, "main"));
    symlinkSync(shared!, join(place, "shared"));
    const data = [join(shared!, "data/eval/mctest"), join(shared!, "data/instructions/alpaca_data.json")];
    const written = run(join(recipes, "rows.mjs"), ...data, "runs/replication-data");
    expect(written.stderr).toBe("");
    expect(run(join(recipes, "ratio-rows.mjs"), data[0]!, "runs/ratio-data").stderr).toBe("");
    const instructions = instructionFiles("dolly_3k.json", "alpagasus_5k.json");
    expect(run(join(recipes, "domain-rows.mjs"), ...instructions, "runs/domain-data").stderr).toBe("");
    const model = join(shared!, "models/stories15M");
    for (const rows of ["alpagasus", "alpagasus-held-out"]) {
      const [from, to] = [rows, rows.replace("alpagasus", "alpagasus-inverted")].map(
        (name) => `runs/domain-data/${name}.json`,
      ) as [string, string];
      expect(run(program, "invert", from, "--tokenizer", model, "--all", "-o", to).status).toBe(0);
    }
    const families = [
      ...instructionFiles("alpaca_data.json", "alpagasus_5k.json"),
      join(shared!, "tokenizers/gpt2/tokenizer.json"),
    ];
    expect(run(join(recipes, "family-rows.mjs"), ...families, "runs/family-data").stderr).toBe("");
    // Where a first training leaves them.
    for (const name of FAMILIES) {
      mkdirSync(join(place, `main/runs/family-data/${name}-pretrained`));
      symlinkSync(`../${name}`, join(place, `main/runs/family-data/${name}-pretrained/model`));
    }
    symlinkSync(model, join(place, "main/runs/replication-stories"));
  });
  afterAll(() => rmSync(place, { recursive: true }));

  test("has the paper's ten weights, two sets and two seeds, of short and of long completions", () => {
    const { status, stdout } = run(program, "study", "plan", join(recipes, "study.yaml"), "--json");
    expect(status).toBe(0);
    const { cells } = JSON.parse(stdout) as {
      cells: { levels: { plw: number; dataset: string; seed: number }; generationRatio: number }[];
    };
    expect(cells).toHaveLength(40);
    expect(new Set(cells.map(({ levels: { plw, dataset, seed } }) => `${plw} ${dataset} ${seed}`)).size).toBe(
      40,
    );
    for (const { levels, generationRatio } of cells)
      if (levels.dataset === "short completions") expect(generationRatio).toBeLessThan(0.05);
      else expect(generationRatio).toBeGreaterThan(3);
  });

  const chance = ["held-out", "mctest", "story-answers"];
  const answers = ["held-out", "story-answers"];
  test.each([
    ["learning-rate.yaml", { seed: 5, learningRate: 4, plw: 7 }, 140, chance],
    ["batch-size.yaml", { seed: 3, learningRate: 2, batchSize: 3, plw: 4 }, 72, chance],
    ["objective.yaml", { seed: 3, objective: 15, learningRate: 3 }, 93, answers],
    ["regularizers.yaml", { seed: 3, plw: 4, regularizer: 20 }, 126, answers],
    ["domains.yaml", { seed: 3, dataset: 7, learningRate: 2, plw: 6 }, 252, ["held-out"]],
  ])("%s is planned, and says which differences it can show", (name, factors, count, tasks) => {
    const { status, stdout, stderr } = run(program, "study", "plan", join(recipes, name), "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const plan = JSON.parse(stdout) as {
      cells: {
        levels: { seed: number; dataset?: string; objective?: string };
        generationRatio: number;
        steps: number;
      }[];
      factors: { name: string; labels: unknown[] }[];
      power: {
        factor: string;
        tasks: { task: string; items?: number }[];
        unknown: { task: string; metric: string }[];
      };
    };
    expect(Object.fromEntries(plan.factors.map(({ name, labels }) => [name, labels.length]))).toEqual(
      factors,
    );
    expect(plan.cells).toHaveLength(count);
    // Seeds are the slowest factor, so that a study that is cut short has whole grids.
    const first = plan.cells.slice(0, count / factors.seed);
    expect(new Set(first.map(({ levels }) => levels.seed))).toEqual(new Set([1]));
    expect(plan.power.factor).not.toBe("seed");
    expect(plan.power.tasks.map(({ task, items }) => [task, items])).toEqual(
      tasks.map((task) => [task, task === "held-out" ? undefined : 600]),
    );
    // The noise of a mean log-likelihood is known from earlier results alone.
    expect(plan.power.unknown).toEqual(
      tasks.length === 1 ? [] : [{ task: "story-likelihood", metric: "log_likelihood" }],
    );
    // Text by itself is completion; other domains have ratios of their own.
    for (const { generationRatio, levels } of plan.cells)
      if (levels.objective !== "masked, stories beside" && (levels.dataset ?? "stories") === "stories")
        expect(generationRatio).toBeLessThan(0.05);
    if (!("batchSize" in factors)) expect(new Set(plan.cells.map(({ steps }) => steps)).size).toBe(1);
  });

  test("ratio.yaml: ratios of 0.1 to 4 by prompts and again by completions, as many steps for all, one test set", () => {
    const { status, stdout, stderr } = run(program, "study", "plan", join(recipes, "ratio.yaml"), "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const { cells } = JSON.parse(stdout) as {
      cells: { levels: { dataset: string }; generationRatio: number; steps: number }[];
    };
    expect(cells).toHaveLength(3 * 12 * 6);
    expect(new Set(cells.map(({ steps }) => steps)).size).toBe(1);
    const ratios = new Map(cells.map(({ levels, generationRatio }) => [levels.dataset, generationRatio]));
    const [byPrompts, byCompletions] = [/ before 15$/, /^36 words /].map((way) =>
      [...ratios].filter(([name]) => way.test(name)).map(([, ratio]) => ratio),
    );
    // Words are counted in the files, tokens in the ratio: within a quarter of each other.
    for (const [i, aim] of [0.1, 0.2, 0.5, 1, 2, 4].entries())
      for (const found of [byPrompts![i]!, byCompletions![i]!])
        expect(Math.abs(Math.log(found / aim))).toBeLessThan(Math.log(1.25));
    const read = (name: string): { prompt: string; completion: string }[] =>
      JSON.parse(readFileSync(join(place, "main/runs/ratio-data", name), "utf8"));
    const completions = (words: number): string[] =>
      read(`prompts-of-${words}.json`).map(({ completion }) => completion);
    expect(completions(4)).toEqual(completions(150));
    const prompts = (words: number): string[] =>
      read(`completions-of-${words}.json`).map(({ prompt }) => prompt);
    expect(prompts(4)).toEqual(prompts(144));
    // No story is trained on and measured.
    const beginnings = new Set(prompts(4).map((text) => text.slice(0, 60)));
    expect(read("test.json").filter(({ prompt }) => beginnings.has(prompt.slice(0, 60)))).toEqual([]);
  });

  test("families.yaml: five models of as many parameters and steps, and no row that a pretraining has seen", () => {
    const { status, stdout, stderr } = run(
      program,
      "study",
      "plan",
      join(recipes, "families.yaml"),
      "--json",
    );
    expect([status, stderr]).toEqual([0, ""]);
    const { cells } = JSON.parse(stdout) as {
      cells: { levels: { seed: number }; generationRatio: number; steps: number }[];
    };
    expect(cells).toHaveLength(3 * 5 * 2 * 6);
    expect(new Set(cells.slice(0, 60).map(({ levels }) => levels.seed))).toEqual(new Set([1]));
    expect(new Set(cells.map(({ steps }) => steps))).toEqual(new Set([45]));
    // One tokenizer and template: the ratio is the same for all.
    expect(new Set(cells.map(({ generationRatio }) => generationRatio)).size).toBe(1);
    expect(cells[0]!.generationRatio).toBeLessThan(0.5);

    const sizes = FAMILIES.map((name) => {
      const { architecture } = readModelConfig(join(place, "main/runs/family-data", name));
      return elementsOf(parameterShapes(architecture).values());
    });
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.03);

    const read = (name: string): Rows =>
      JSON.parse(readFileSync(join(place, "main/runs/family-data", name), "utf8"));
    const [training, heldOut, texts] = ["training", "held-out", "pretraining"].map((name) =>
      read(`${name}.json`),
    ) as [Rows, Rows, Rows];
    expect([training.length, heldOut.length]).toEqual([240, 240]);
    // A pretraining text begins with its instruction.
    const seen = new Set(texts.map(({ prompt, completion }) => `${prompt} ${completion}`.split("\n")[0]));
    const asked = new Set(training.map(({ completion }) => completion));
    for (const { completion } of [...training, ...heldOut])
      expect(seen.has(completion.split("\n")[0]!)).toBe(false);
    for (const { completion } of heldOut) expect(asked.has(completion)).toBe(false);
  });

  test("measures and asks nothing that it trains on, nor a question about the same story", () => {
    const read = (name: string): { instruction: string; input: string }[] => {
      const text = readFileSync(join(place, "main/runs/replication-data", name), "utf8");
      return name.endsWith("l")
        ? text
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
        : JSON.parse(text);
    };
    const story = ({ input }: { input: string }): string => input;
    const whole = (row: { instruction: string; input: string }): string => `${row.instruction} ${row.input}`;
    for (const [names, keyOf] of [
      [["short.json", "short-held-out.json", "story-questions.jsonl"], story],
      [["long.json", "long-held-out.json", "instructions.jsonl"], whole],
    ] as const) {
      const keys = names.map((name) => new Set(read(name).map(keyOf)));
      for (const [i, one] of keys.entries())
        for (const other of keys.slice(i + 1)) expect([...one].filter((key) => other.has(key))).toEqual([]);
    }
  });
});

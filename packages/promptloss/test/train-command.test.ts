// `promptloss train` as a user runs it, on a tiny model: what it prints and writes, how it resumes, how it fails.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { isHigherBetter, type LossMetric, metricValue } from "../src/loss/metrics.ts";
import { MEASURED } from "../src/loss/part-sums.ts";
import type { EvaluationRequest } from "../src/study/evaluate/evaluator.ts";
import { heldOut } from "../src/study/evaluate/held-out.ts";
import type { EvaluationEvent } from "../src/training/events/event.ts";
import type { MetricsLine } from "../src/training/events/metrics-file.ts";
import type { Manifest, RunEnd, RunFailure } from "../src/training/manifest.ts";
import { program } from "./command.ts";
import { eventSteps } from "./event-files.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function environment() {
  return { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache") };
}

function promptloss(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder.path,
    encoding: "utf8",
    env: environment(),
  });
}

function read(...parts: string[]): string {
  return readFileSync(join(folder.path, ...parts), "utf8");
}
function manifestOf(run: string): Manifest {
  return JSON.parse(read(run, "manifest.json"));
}
function metricsOf(run: string): MetricsLine[] {
  return read(run, "metrics.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
function weightsOf(run: string): Buffer {
  return readFileSync(join(folder.path, run, "model", "model.safetensors"));
}

const SHORT = `
loss: { promptLossWeight: 0.1 }
training: { epochs: 2, batchSize: 8, learningRate: 1e-2, precision: float32, logEvery: 2 }
`;

describe("promptloss train", () => {
  test("trains, and leaves a folder that says all", () => {
    const file = folder.recipe(
      "whole",
      `${SHORT}evaluation: { rows: 4, every: epoch }\ncheckpoints: { every: 2, keep: 2 }
probes: { generations: { rows: 5, maxNewTokens: 4, before: true } }\n`,
    );
    const { status, stdout, stderr } = promptloss("train", file);
    expect([status, stderr]).toEqual([0, ""]);
    const shown = stdout
      .replaceAll(folder.path, "FOLDER")
      // Losses differ in their last digits between processors; speeds, times and memory from run to run.
      .replaceAll(/^( +\d+) (.*)$/gm, (_, step: string, rest: string) => `${step} ${figures(rest)}`)
      .replace(/and \d+ s, peak memory .*/, "and TIME")
      .replace(/\d+ threads?/, "THREADS")
      .replace(/\d+ of \d+ groups/, "GROUPS");
    expect(shown).toMatchInlineSnapshot(`
      "model  FOLDER/model  20.7 k parameters
      data   20 rows, 1922 tokens an epoch, 4 held out
      loss   prompt loss weight 0.1, weight-sum
      run    6 steps, 2 epochs, into FOLDER/whole
      on     cpu, float32, THREADS
      ! held out: 4 rows of 24, drawn by seed 0: GROUPS of rows that share an input, a prompt or a group

          step      loss   prompt  content      end  correct       rate     grad  tokens/s    memory
             1  # # # # # % # # # # BYTES
             2  # # # # # % # # # # BYTES
        checkpoint FOLDER/whole/checkpoints/step-000002
             3  # # # # # % # # # # BYTES
             3  # # # # # % held out best
             4  # # # # # % # # # # BYTES
        checkpoint FOLDER/whole/checkpoints/step-000004
             5  # # # # # % # # # # BYTES
             6  # # # # # % # # # # BYTES
             6  # # # # # % held out best
        checkpoint FOLDER/whole/checkpoints/step-000006

      done after 6 steps and TIME
      model in FOLDER/whole/model, weights of step 6
      "
    `);
    expect(readdirSync(join(folder.path, "whole")).sort()).toEqual([
      "checkpoints",
      "generations.jsonl",
      "manifest.json",
      "metrics.jsonl",
      "model",
      "probes.json",
      "tensorboard",
    ]);
    const { end, ...manifest } = manifestOf("whole");
    expect(end).toMatchObject({ reason: "completed", step: 6 });
    expect(manifest).toMatchObject({
      promptLossWeight: 0.1,
      normalization: "weight-sum",
      precision: "float32",
      rows: 20,
      heldOutRows: 4,
      steps: 6,
      recipe: { training: { betas: [0.9, 0.999] } },
    });
    const metrics = metricsOf("whole");
    expect(metrics.filter(({ type }) => type === "step").map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(metrics[0]).toMatchObject({ prompt: { loss: expect.any(Number) }, completion: {} });
    expect(metrics.at(-1)!.loss).toBeLessThan(metrics[0]!.loss);
    const checkpoints = readdirSync(join(folder.path, "whole", "checkpoints")).filter((name) =>
      name.startsWith("step"),
    );
    expect(checkpoints.sort()).toEqual(["step-000004", "step-000006"]);
    expect(JSON.parse(read("whole", "probes.json"))).toMatchObject({
      trainingLoss: { steps: 6 },
      generations: { rows: 5, bleu: expect.any(Number), length: {}, stopped: expect.any(Number) },
      distance: {
        all: { cosine: expect.any(Number) },
        groups: { embedding: {}, "layer 0": {}, "layer 1": {}, rest: {} },
      },
    });
    const said = read("whole", "generations.jsonl").trim().split("\n");
    expect(said).toHaveLength(5);
    for (const line of said) {
      const { prompt, reference, before, after } = JSON.parse(line);
      expect(prompt).toMatch(/(Name a colour|Say)/);
      expect(["red", "green", "blue", "black", "white"]).toContain(reference.trim());
      expect([typeof before, typeof after]).toEqual(["string", "string"]);
    }
    const again = promptloss("train", file);
    expect([again.status, again.stdout]).toEqual([
      0,
      expect.stringContaining("holds this very run, finished"),
    ]);
  });

  test("masked prompts are measured on logged steps only", () => {
    expect(
      promptloss("train", folder.recipe("masked", SHORT), "--set", "loss.promptLossWeight=0").status,
    ).toBe(0);
    const measured = metricsOf("masked").map((line) => line.prompt !== undefined);
    expect(measured).toEqual([true, true, false, true, false, true]);
  });

  test("killed at any time, it goes on to the same weights, bit for bit", async () => {
    const recipe = `${SHORT.replace("epochs: 2", "epochs: 8, dropout: 0.1, neftuneAlpha: 5")}checkpoints: { every: 1 }
evaluation: { rows: 4, every: 3 }
`;
    const [whole, broken] = [folder.recipe("undisturbed", recipe), folder.recipe("killed", recipe)];
    expect(promptloss("train", whole).status).toBe(0);
    let kills = 0;
    for (let attempt = 0; attempt < 40; attempt++) {
      // The first kills come early, so that some fall into the middle of a checkpoint's writing.
      const code = await runAndKill(broken, 2 + (attempt % 3) * 3, attempt * 7);
      if (code === 0) break;
      kills++;
    }
    expect(kills).toBeGreaterThan(2);
    expect(manifestOf("killed").end).toMatchObject({
      reason: "completed",
      step: manifestOf("undisturbed").end!.step,
    });
    expect(weightsOf("killed").equals(weightsOf("undisturbed"))).toBe(true);
    const steps = (run: string) => metricsOf(run).map(({ step, loss, type }) => [step, loss, type]);
    expect(steps("killed")).toEqual(steps("undisturbed"));
    // TensorBoard has each step once too, beside the mark of each new beginning.
    const drawn = (run: string) => new Set(eventSteps(join(folder.path, run, "tensorboard")));
    expect(drawn("killed")).toEqual(drawn("undisturbed"));
    const records = (run: string) => eventSteps(join(folder.path, run, "tensorboard")).length;
    const files = readdirSync(join(folder.path, "killed", "tensorboard")).length;
    expect(records("killed")).toBeLessThanOrEqual(records("undisturbed") + files);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends it after the step at hand, with a checkpoint", async (signal, code) => {
    const recipe = folder.recipe(signal, SHORT.replace("epochs: 2", "epochs: 60"));
    const child = spawn(process.execPath, [program, "train", recipe], { env: environment() });
    let text = "";
    const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
    for await (const chunk of child.stdout) {
      text += chunk;
      if (/\n +1 /.test(text)) child.kill(signal);
    }
    expect(await exit).toBe(code);
    expect(text).toContain("interrupted after");
    const { end } = manifestOf(signal);
    expect(end).toMatchObject({ reason: "interrupted" });
    expect(readdirSync(join(folder.path, signal, "checkpoints"))).toContain(
      `step-${String(end!.step).padStart(6, "0")}`,
    );
  });

  test("a full disk is told, and the checkpoint before stays whole", async () => {
    const recipe = `${SHORT.replace("epochs: 2", "epochs: 8")}checkpoints: { every: 1 }\n`;
    const [whole, full] = [folder.recipe("roomy", recipe), folder.recipe("full", recipe)];
    expect(promptloss("train", whole).status).toBe(0);
    await runAndKill(full, 3, 0);
    const checkpoints = (): string[] =>
      readdirSync(join(folder.path, "full", "checkpoints")).filter((name) => name.startsWith("step"));
    const before = checkpoints();
    // A limit on the size of files, 120 kB, stands in for a disk: the optimizer's state takes more.
    const limited = spawnSync(
      "sh",
      ["-c", `ulimit -f 240; exec "${process.execPath}" "${program}" train "${full}"`],
      {
        encoding: "utf8",
        env: environment(),
      },
    );
    expect(limited.status).toBe(1);
    expect(limited.stderr).toMatch(
      /optimizer\.safetensors: the (disk is full|file is larger than the system allows)\nhint: free some space/,
    );
    expect(checkpoints()).toEqual(before);
    expect(promptloss("train", full).status).toBe(0);
    expect(weightsOf("full").equals(weightsOf("roomy"))).toBe(true);
  });

  test("a damaged checkpoint is passed over for the one before", () => {
    const file = folder.recipe("damaged", `${SHORT}checkpoints: { every: 1, keep: 3 }\n`);
    expect(promptloss("train", file).status).toBe(0);
    const whole = weightsOf("damaged");
    const newest = join(folder.path, "damaged", "checkpoints", "step-000006", "weights.safetensors");
    writeFileSync(newest, readFileSync(newest).subarray(0, 100));
    const manifest = manifestOf("damaged");
    writeFileSync(
      join(folder.path, "damaged", "manifest.json"),
      JSON.stringify({ ...manifest, end: undefined }),
    );
    const { status, stdout } = promptloss("train", file);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/step-000006: weights\.safetensors is not what was written; going back/),
    ]);
    expect(stdout).toContain("resuming after step 5");
    expect(weightsOf("damaged").equals(whole)).toBe(true);
  });

  test.each([
    [
      "a flipped bit",
      (text: string) => text.replace('"evaluationsSinceBest": 0', '"evaluationsSinceBest": 1'),
    ],
    ["null", () => "null"],
    ["half of it", (text: string) => text.slice(0, text.length / 2)],
  ])("a checkpoint's state.json with %s is passed over for the one before", (name, damage) => {
    const run = `state-${name.replaceAll(" ", "-")}`;
    const file = folder.recipe(run, `${SHORT}checkpoints: { every: 1, keep: 3 }\nevaluation: { rows: 4 }\n`);
    expect(promptloss("train", file).status).toBe(0);
    const whole = weightsOf(run);
    const state = join(folder.path, run, "checkpoints", "step-000006", "state.json");
    const text = readFileSync(state, "utf8");
    expect(damage(text)).not.toBe(text);
    writeFileSync(state, damage(text));
    const { end: _, ...unended } = manifestOf(run);
    writeFileSync(join(folder.path, run, "manifest.json"), JSON.stringify(unended));
    const { status, stdout } = promptloss("train", file);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/step-000006: state\.json is not .*; going back/),
    ]);
    expect(stdout).toContain("resuming after step 5");
    expect(weightsOf(run).equals(whole)).toBe(true);
  });

  test("what a killed process left half written is removed, and only the best weights that count are kept", () => {
    const file = folder.recipe(
      "tidy",
      `${SHORT}evaluation: { rows: 4, every: 1 }\ncheckpoints: { every: 1, keep: 1 }\n`,
    );
    const checkpoints = join(folder.path, "tidy", "checkpoints");
    mkdirSync(checkpoints, { recursive: true });
    writeFileSync(
      join(checkpoints, ".best-0123456789abcdef-step-000001.safetensors.0123456789ab.draft"),
      "half",
    );
    expect(promptloss("train", file).status).toBe(0);
    expect(manifestOf("tidy").end).toMatchObject({ writtenStep: 6 });
    expect(readdirSync(checkpoints).sort()).toEqual([
      expect.stringMatching(/^best-[0-9a-f]{16}-step-000006\.safetensors$/),
      "step-000006",
    ]);
  });

  test("another recipe does not take over a run's folder", () => {
    const file = folder.recipe("taken", SHORT);
    expect(promptloss("train", file).status).toBe(0);
    const other = promptloss("train", file, "--set", "training.learningRate=0.5");
    expect(other).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /holds another run: training\.learningRate was 0\.01 and is 0\.5\nhint: .*--overwrite/,
      ),
    });
    const overwritten = promptloss("train", file, "--set", "training.learningRate=0.02", "--overwrite");
    expect(overwritten.status).toBe(0);
    expect(manifestOf("taken").recipe.training.learningRate).toBe(0.02);
  });

  test("a loss that is no number ends the run and names the rows", () => {
    const file = folder.recipe("diverged", SHORT);
    const { status, stderr } = promptloss("train", file, "--set", "training.learningRate=1e30");
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /error: step \d: the .* is (NaN|Infinity|-Infinity); the batch was .*rows\.json, row \d+/,
    );
    expect(stderr).toContain("hint: lower training.learningRate");
    const end = manifestOf("diverged").end as RunFailure;
    expect(end).toMatchObject({ reason: "failed", error: { name: "DivergenceError" } });
    expect(end.error.message).toMatch(/^step \d: the .* is/);
    expect(metricsOf("diverged").at(-1)!.step).toBe(end.step);
    // A failed run is no finished one: it is tried again from its checkpoint.
    expect(promptloss("train", file, "--set", "training.learningRate=1e30").status).toBe(1);
  });

  test("problems of a recipe are told together, before anything starts", () => {
    const file = folder.recipe("wrong", "training: { epochs: 0, learningrate: 1 }\nlora: { rank: 0 }\n");
    const { status, stdout, stderr } = promptloss("train", file, "--set", "loss.normalization=sum");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.replaceAll(folder.path, "FOLDER")).toMatchInlineSnapshot(`
      "error: --set: loss.normalization: expected one of weight-sum, active-count, all-mean, completion-count, segment-mean, loss-share, found the text "sum"
        FOLDER/wrong.yaml:4: training.epochs: should be 1 or more
        FOLDER/wrong.yaml:4: training.learningrate: there is no such key; did you mean learningRate?
        FOLDER/wrong.yaml:5: lora.rank: should be 1 or more
      "
    `);
  });

  test("a dry run prints the plan and trains nothing", () => {
    const { status, stdout } = promptloss("train", folder.recipe("planned", SHORT), "--dry-run");
    expect(status).toBe(0);
    expect(stdout.replaceAll(folder.path, "FOLDER")).toMatchInlineSnapshot(`
      "model  FOLDER/model  20.7 k parameters, 20.7 k trained
      data   24 rows, 2256 tokens an epoch, 0 held out
      steps  6, 2 epochs
      loss   prompt loss weight 0.1, weight-sum over the batch
      memory about 10 MiB: weights 0 MiB, gradients 0 MiB, optimizer 0 MiB, activations 10 MiB
      first  8 rows, 748 tokens, 740 of them trained, weights that sum to 104.60
      "
    `);
    expect(existsSync(join(folder.path, "planned"))).toBe(false);
    const { rows, firstBatch } = JSON.parse(
      promptloss("train", join(folder.path, "planned.yaml"), "--dry-run", "--json").stdout,
    );
    expect([rows, firstBatch.rows]).toEqual([24, 8]);
    for (const option of ["--overwrite", "--extend", "--profile", "--events"])
      expect(promptloss("train", join(folder.path, "planned.yaml"), "--dry-run", option)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(`--dry-run trains nothing, so ${option} has no use`),
      });
    const long = promptloss(
      ...["train", join(folder.path, "planned.yaml"), "--dry-run", "--set", "training.warmupSteps=7"],
    );
    expect(long.stderr).toContain("error: a warm-up of 7 steps is longer than the run of 6");
    expect([long.status, long.stdout]).toEqual([1, ""]);
  });

  test("stops when the held-out loss gets no better, with the best weights", () => {
    const over = (keepBest: boolean): string =>
      `${SHORT.replace("epochs: 2", "epochs: 60").replace("1e-2", "5e-2")}
evaluation: { rows: 4, every: 2, patience: 3, keepBest: ${keepBest} }\n`;
    const [kept, last] = [folder.recipe("kept", over(true)), folder.recipe("last", over(false))];
    const { status, stdout } = promptloss("train", kept);
    expect(status).toBe(0);
    const losses = metricsOf("kept").filter(({ type }) => type === "evaluation");
    const { step } = losses.reduce((best, each) =>
      each.completion!.loss < best.completion!.loss ? each : best,
    );
    expect(losses.at(-1)!.step).toBe(step + 6);
    expect(manifestOf("kept").end).toMatchObject({
      reason: "stopped-early",
      step: step + 6,
      writtenStep: step,
    });
    expect(stdout).toContain(`weights of step ${step}`);

    expect(promptloss("train", last).status).toBe(0);
    expect(manifestOf("last").end).toMatchObject({ step: step + 6, writtenStep: step + 6 });
    expect(metricsOf("last").map(({ loss }) => loss)).toEqual(metricsOf("kept").map(({ loss }) => loss));
    expect(weightsOf("last").equals(weightsOf("kept"))).toBe(false);
    // What the same run has after the best step, checkpointed there.
    const there = folder.recipe("there", `${over(false)}checkpoints: { every: ${step}, keep: 9 }\n`);
    expect(promptloss("train", there).status).toBe(0);
    const checkpoint = join(
      "there",
      "checkpoints",
      `step-${String(step).padStart(6, "0")}`,
      "weights.safetensors",
    );
    const tensors = (...parts: string[]) =>
      [...readSafetensors(join(folder.path, ...parts))].map(([name, tensor]) => [
        name,
        tensor.toTypedArray(),
      ]);
    expect(new Map(tensors("kept", "model", "model.safetensors") as [string, unknown][])).toEqual(
      new Map(tensors(checkpoint) as [string, unknown][]),
    );
  });

  test("a run that stopped early stops again where it is taken up before its model was written", () => {
    const file = folder.recipe(
      "again",
      `${SHORT.replace("epochs: 2", "epochs: 60").replace("1e-2", "5e-2")}
evaluation: { rows: 4, every: 1, patience: 2 }\ncheckpoints: { every: 1 }\n`,
    );
    expect(promptloss("train", file).status).toBe(0);
    const { end, ...unended } = manifestOf("again");
    expect(end).toMatchObject({ reason: "stopped-early" });
    const weights = weightsOf("again");
    writeFileSync(join(folder.path, "again", "manifest.json"), JSON.stringify(unended));
    rmSync(join(folder.path, "again", "model"), { recursive: true });
    expect(promptloss("train", file).status).toBe(0);
    const { at: _, seconds: __, peakMemory: ___, ...same } = end as RunEnd;
    expect(manifestOf("again").end).toMatchObject(same);
    expect(weightsOf("again").equals(weights)).toBe(true);
  });

  test("keepBest and patience go by the named metric", () => {
    const over = (metric: string): string =>
      `${SHORT.replace("epochs: 2", "epochs: 8").replace("1e-2", "5e-2")}
evaluation: { rows: 4, every: 1, metric: ${metric} }\n`;
    const evaluations = ["completion_loss", "content_accuracy", "prompt_loss"].map((metric) => {
      expect(promptloss("train", folder.recipe(metric, over(metric))).status).toBe(0);
      const lines = metricsOf(metric).filter((line) => line.type === "evaluation");
      const values = lines.map((line) => metricValue(line, metric as LossMetric)!);
      const most = isHigherBetter(metric as LossMetric) ? Math.max(...values) : Math.min(...values);
      expect(manifestOf(metric).end).toMatchObject({ writtenStep: lines[values.indexOf(most)]!.step });
      return lines;
    });
    expect(evaluations[0]!.map(({ loss }) => loss)).toEqual(evaluations[1]!.map(({ loss }) => loss));
    const wrong = promptloss("train", folder.recipe("wrong-metric", over("answer_loss")));
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining("evaluation.metric") });
  });

  test.each([true, false])(
    "held-out scores are those of the weights that were written, keepBest %s",
    async (keepBest) => {
      const name = `measured-${keepBest}`;
      // Every 4 of 6 steps: the last is measured too. The rate makes step 4 and the last differ.
      const file = folder.recipe(
        name,
        `${SHORT.replace("1e-2", "5e-2")}evaluation: { data: rows.json, every: 4, keepBest: ${keepBest} }\n`,
      );
      expect(promptloss("train", file).status).toBe(0);
      const evaluations = metricsOf(name).filter(({ type }) => type === "evaluation");
      expect(evaluations.map(({ step }) => step)).toEqual([4, 6]);
      if (!keepBest) expect(manifestOf(name).end).toMatchObject({ writtenStep: 6 });
      const lines = promptloss("loss", join(name, "model"), "rows.json").stdout.trim().split("\n");
      const { totals } = JSON.parse(lines.at(-1)!) as { totals: EvaluationEvent };
      const scores = await heldOut.evaluate({ run: join(folder.path, name) } as EvaluationRequest);
      // float32 sums in another order.
      for (const part of MEASURED)
        expect(scores.find(({ metric }) => metric === `${part}_loss`)?.value).toBeCloseTo(
          totals[part]!.loss,
          4,
        );
    },
  );

  test("a profile tells which operators take the time", () => {
    const file = folder.recipe("profiled", SHORT);
    const { status, stdout } = promptloss("train", file, "--profile");
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/profile of steps 3 to 5 in .*profiled.profile/),
    ]);
    expect(stdout).toContain("promptloss::weighted_cross_entropy_forward");
    const table = read("profiled", "profile", "operators.txt").split("\n");
    expect(table[0]).toMatch(/self ms +share +total ms +calls +operator/);
    const calls = table.find((line) => line.endsWith("promptloss::weighted_cross_entropy_forward"))!;
    expect(calls.trim().split(/ {2,}/)[3]).toBe("3");
    expect(JSON.parse(read("profiled", "profile", "trace.json")).traceEvents.length).toBeGreaterThan(100);
  });

  test("LoRA trains little and writes an adapter, or the model merged", () => {
    const lora = (merge: boolean): string =>
      `${SHORT}lora: { rank: 2, targets: [q_proj, v_proj], merge: ${merge} }\n`;
    expect(promptloss("train", folder.recipe("adapter", lora(false))).status).toBe(0);
    expect(JSON.parse(read("adapter", "model", "adapter_config.json"))).toMatchObject({
      r: 2,
      peft_type: "LORA",
    });
    expect(manifestOf("adapter").trainable).toBeLessThan(manifestOf("adapter").parameters / 10);
    expect(promptloss("train", folder.recipe("merged", lora(true))).status).toBe(0);
    expect(existsSync(join(folder.path, "merged", "model", "model.safetensors"))).toBe(true);
  });
});

/** A line's numbers as #. */
function figures(line: string): string {
  return line
    .replaceAll(/[\d,.e+-]*\d/g, "#")
    .replaceAll(/ +/g, " ")
    .replace(/[MG]iB/, "BYTES");
}

/** Starts a run, kills its training process some milliseconds after its n-th step, and gives the exit code. */
function runAndKill(file: string, steps: number, delay: number): Promise<number | null> {
  return new Promise((resolve) => {
    const process_ = compiled("packages/promptloss", "training/process.js");
    const child = spawn(process.execPath, [process_, JSON.stringify({ file })], { env: environment() });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if ((text.match(/"type":"step"/g)?.length ?? 0) >= steps)
        setTimeout(() => child.kill("SIGKILL"), delay);
    });
    child.on("close", resolve);
  });
}

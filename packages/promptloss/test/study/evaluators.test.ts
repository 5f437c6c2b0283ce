// A program's own tasks in a study: scores with errors and groups, failures in evaluation, and that neither a new task
// nor a retry trains again. Runs the compiled library, as training does in a process of its own.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";
import type * as library from "../../src/study/index.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";

let folder: TrainingFolder;
let study: typeof library;
beforeAll(async () => {
  folder = trainingFolder();
  study = (await import(compiled("packages/promptloss", "study/index.js"))) as typeof library;
});
afterAll(() => folder.remove());

/** Scores a model by the size of its file, and fails for a weight where asked to. */
function quiz(failsAt?: number): library.Evaluator {
  return {
    group: "multiple-choice",
    readsModel: true,
    refuse: ({ shots }) => (typeof shots === "string" ? "shots is no number" : undefined),
    evaluate: async ({ model, recipe, options }) => {
      expect(existsSync(join(model, "model.safetensors"))).toBe(true);
      if (recipe.loss.promptLossWeight === failsAt) throw new TypeError("the quiz went wrong");
      const value = Number(options.shots ?? 0) / 10;
      return [
        { metric: "accuracy", value, standardError: 0.1, higherIsBetter: true, primary: true },
        { metric: "margin", value: -value, higherIsBetter: false, primary: false },
      ];
    },
  };
}

function read(tasks: string, evaluators: library.Evaluators): library.Study {
  const file = join(folder.path, "own.yaml");
  writeFileSync(
    file,
    `recipe: { model: model, data: rows.json, maxLength: 256, training: { steps: 2 } }
factors: { plw: [0, 1] }
output: ${join(folder.path, "own")}
tasks: ${tasks}
`,
  );
  return study.readStudy(file, { evaluators });
}

async function run(of: library.Study, retry = false) {
  const trained: unknown[] = [];
  const summary = await study.runStudy(of, {
    retry,
    onEvent: (event) => {
      if (event.type === "training" && event.event.type === "step") trained.push(event.cell.levels.plw);
    },
  });
  return { summary, trained };
}

describe("a study with tasks of a program's own", () => {
  test("an evaluation that fails fails its cell alone, and a retry does not train again", async () => {
    const tasks = "[{ task: quiz, options: { shots: 5 } }]";
    const own = read(tasks, { quiz: quiz(1) });
    const first = await run(own);
    expect(first.summary).toMatchObject({ done: 1, failed: 1 });
    expect(first.trained).toEqual([0, 0, 1, 1]);
    const failed = study.studyStatus(own).cells.find(({ status }) => status === "failed")!;
    expect(failed.failure).toEqual({
      name: "TypeError",
      message: "the quiz went wrong",
      during: "evaluation",
    });
    const second = await run(read(tasks, { quiz: quiz() }), true);
    expect(second.summary).toMatchObject({ done: 1, failed: 0, untouched: 1 });
    expect(second.trained).toEqual([]);
  });

  test("a new task is evaluated on models that are there, and all scores are in the table", async () => {
    const own = read("[{ task: quiz, options: { shots: 5 } }, { task: riddle, group: long-generation }]", {
      quiz: quiz(),
      riddle: quiz(),
    });
    const { summary, trained } = await run(own);
    expect([summary.done, trained]).toEqual([2, []]);
    const { rows } = study.readStudyResults(own.output);
    expect(rows).toHaveLength(2 * 2 * 2);
    expect(rows.find(({ task, metric }) => task === "quiz" && metric === "accuracy")).toMatchObject({
      taskGroup: "multiple-choice",
      value: 0.5,
      standardError: 0.1,
      primary: true,
    });
    expect(rows.find(({ task, metric }) => task === "riddle" && metric === "margin")).toMatchObject({
      taskGroup: "long-generation",
      standardError: null,
      items: null,
      chance: null,
      primary: false,
    });
  });

  test("a metric that a program's task turns out not to have fails the cells, and says which it has", async () => {
    const own = read("[{ task: quiz, metric: acuracy, options: { shots: 6 } }]", { quiz: quiz() });
    const { summary, trained } = await run(own);
    expect([summary.failed, trained]).toEqual([2, []]);
    expect(study.studyStatus(own).cells[0]!.failure!.message).toBe(
      "quiz has no metric acuracy; it has accuracy, margin",
    );
    await run(read("[{ task: quiz, metric: margin, options: { shots: 6 } }]", { quiz: quiz() }), true);
    const { rows } = study.readStudyResults(own.output);
    expect(rows.map(({ metric, primary }) => [metric, primary])).toEqual([
      ["accuracy", false],
      ["margin", true],
      ["accuracy", false],
      ["margin", true],
    ]);
  });

  test("cells that run at once share the cores among their evaluations too", async () => {
    const heard: (number | undefined)[] = [];
    const own: library.Evaluator = {
      readsModel: false,
      refuse: () => undefined,
      evaluate: async ({ threads }) => {
        heard.push(threads);
        return [{ metric: "m", value: heard.length, higherIsBetter: true, primary: true }];
      },
    };
    await study.runStudy(read("[listens]", { listens: own }), { concurrency: 2 });
    expect(heard).toEqual(Array(2).fill(Math.max(1, Math.floor(availableParallelism() / 2))));
  });

  test("a cell that another process took over gets no scores from this one", async () => {
    const cells: string[] = [];
    const own = {
      ...quiz(),
      evaluate: async ({ run }: library.EvaluationRequest) => {
        const folder = dirname(run);
        cells.push(folder);
        // As after a night suspended: another launcher has the folder.
        rmSync(join(folder, ".lock"), { recursive: true });
        mkdirSync(join(folder, ".lock"));
        writeFileSync(join(folder, ".lock", "theirs"), "{}");
        return [{ metric: "m", value: 1, higherIsBetter: true, primary: true }];
      },
    };
    const { summary } = await run(read("[taken]", { taken: own }));
    expect(summary).toMatchObject({ done: 0, failed: 0, elsewhere: 2 });
    for (const folder of cells) {
      expect(readdirSync(join(folder, "scores")).filter((name) => name.startsWith("taken"))).toEqual([]);
      expect(existsSync(join(folder, ".lock", "theirs"))).toBe(true);
      expect(JSON.parse(readFileSync(join(folder, "state.json"), "utf8")).state).toBe("evaluating");
    }
  });

  test("a task's options are checked when the study is read", () => {
    expect(() => read("[{ task: quiz, options: { shots: many } }]", { quiz: quiz() })).toThrow(
      /own\.yaml:\d+: tasks\.0: shots is no number/,
    );
  });
});

// A form's fields → a recipe that copies, and a job that the service takes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { NAMED_TEMPLATES } from "../../data/templates/index.ts";
import { NORMALIZATIONS } from "../../loss/normalization.ts";
import { recipeSchema } from "../../recipe/index.ts";
import { jobRecipe } from "../../serve/jobs/job-recipe.ts";
import { jobRequest, type RunForm, recipeOf, suggestedFields } from "./recipe-form.ts";
import { recipeText } from "./recipe-text.ts";

const FORM: RunForm = {
  model: "models/tiny",
  data: "rows.jsonl",
  template: "alpaca",
  turns: "all",
  promptLossWeight: 0.1,
  completionWeight: "",
  endWeight: "",
  normalization: "weight-sum",
  ...suggestedFields(100, 1.5e7),
  maxLength: "",
  overflow: "",
  seed: "0",
  output: "runs/rows",
};

test("the form as it opens is a recipe that trains as it stands", () => {
  expect(recipeText(recipeOf(FORM))).toMatchInlineSnapshot(`
    {
      "problems": [],
      "yaml": "# promptloss train recipe.yaml

    model: models/tiny
    data: rows.jsonl
    onBadRow: skip
    template: alpaca
    loss:
      promptLossWeight: 0.1
    seed: 0
    training:
      epochs: 3
      batchSize: 10
      learningRate: 0.0003
      schedule: cosine
      warmupRatio: 0.03
    evaluation:
      fraction: 0.1
    output: runs/rows
    ",
    }
  `);
});

test("a large model gets an adapter, and few rows are not held out", () => {
  const fields = suggestedFields(5, 7e9);
  expect(fields).toMatchObject({
    method: "lora",
    rank: "8",
    learningRate: "2e-4",
    batchSize: "1",
    heldOut: "",
  });
  const recipe = recipeOf({ ...FORM, ...fields });
  expect(recipe.lora).toEqual({ rank: 8 });
  expect(recipe).not.toHaveProperty("evaluation");
});

test("each wrong field is named by its key, all at once", () => {
  const { problems, yaml } = recipeText(
    recipeOf({
      ...FORM,
      epochs: "many",
      batchSize: "0",
      learningRate: "-1",
      endWeight: "2",
      warmupRatio: "1.5",
      heldOut: "1",
      overflow: "shrink",
      data: " ",
    }),
  );
  expect(yaml).toContain("epochs: many");
  expect(problems).toMatchInlineSnapshot(`
    [
      {
        "message": "is missing; expected a list",
        "path": "data",
      },
      {
        "message": "2 is above 1, the weight of a completion; loss.allowAnyWeight: true (--allow-any-weight) allows it",
        "path": "loss.perClass.end",
      },
      {
        "message": "expected one of drop, truncate-prompt, truncate-completion, error, found the text "shrink"",
        "path": "overflow",
      },
      {
        "message": "expected a number, found the text "many"",
        "path": "training.epochs",
      },
      {
        "message": "should be 1 or more",
        "path": "training.batchSize",
      },
      {
        "message": "should be above 0",
        "path": "training.learningRate",
      },
      {
        "message": "should be 1 or less",
        "path": "training.warmupRatio",
      },
      {
        "message": "should be below 1",
        "path": "evaluation.fraction",
      },
    ]
  `);
});

const number = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.constantFrom("", "1", "0.5", "2e-5", "x", "-0"),
);

const forms: fc.Arbitrary<RunForm> = fc.record({
  model: fc.string(),
  data: fc.string(),
  template: fc.constantFrom(...Object.keys(NAMED_TEMPLATES), "tokenizer"),
  turns: fc.constantFrom("all" as const, "last" as const),
  promptLossWeight: fc.double({ min: 0, max: 1, noNaN: true }),
  completionWeight: number,
  endWeight: number,
  normalization: fc.constantFrom(...NORMALIZATIONS),
  epochs: number,
  batchSize: number,
  learningRate: number,
  schedule: fc.constantFrom("constant", "linear", "cosine", ""),
  warmupRatio: number,
  method: fc.constantFrom("full" as const, "lora" as const),
  rank: number,
  maxLength: number,
  overflow: fc.constantFrom("", "drop", "error"),
  heldOut: number,
  seed: number,
  output: fc.string(),
});

/** Without a problem, but for texts. */
const goodForms: fc.Arbitrary<RunForm> = fc
  .record({
    ...{
      turns: fc.constantFrom("all" as const, "last" as const),
      method: fc.constantFrom("full" as const, "lora" as const),
    },
    promptLossWeight: fc.double({ min: 0, max: 1, noNaN: true }),
    completionWeight: fc.constantFrom("", "0.5"),
    endWeight: fc.constantFrom("", "0", "1"),
    normalization: fc.constantFrom(...NORMALIZATIONS),
    epochs: fc.constantFrom("", "1", "12"),
    batchSize: fc.constantFrom("", "8"),
    learningRate: fc.constantFrom("", "2e-5", "0.001"),
    schedule: fc.constantFrom("constant", "linear", "cosine"),
    rank: fc.constantFrom("", "4"),
    maxLength: fc.constantFrom("", "128"),
    overflow: fc.constantFrom("", "drop", "error"),
    heldOut: fc.constantFrom("", "0.1"),
    seed: fc.constantFrom("", "0", "7"),
  })
  .map((fields) => ({ ...FORM, ...fields }));

describe("any form", () => {
  test("is YAML that says the same, and has problems exactly where the schema refuses it", () => {
    fc.assert(
      fc.property(forms, (form) => {
        const values = recipeOf(form);
        const { yaml, problems } = recipeText(values);
        expect(parse(yaml)).toEqual(values);
        expect(problems.length === 0).toBe(recipeSchema.safeParse(parse(yaml)).success);
        for (const { message } of problems) expect(message).not.toBe("");
      }),
    );
  });

  test("without problems makes a job that trains by the same recipe", () => {
    fc.assert(
      fc.property(goodForms, (form) => {
        const values = recipeOf(form);
        expect(recipeText(values).problems).toEqual([]);
        const body = jobRequest(values, { model: "tiny", file: "file-1" });
        const { recipe, seed = 0 } = body as { recipe: Record<string, unknown>; seed?: number };
        const wishes = {
          hyperparameters: {
            n_epochs: "auto",
            batch_size: "auto",
            learning_rate_multiplier: "auto",
            prompt_loss_weight: "auto",
          },
          recipe,
          seed,
        } as const;
        const places = {
          ...{ model: "/models/tiny", training: "/files/1", validation: undefined, output: "/jobs/1" },
          ...{ template: "chatml", rows: 100 },
        };
        const trained = jobRecipe(wishes, places);
        const asked = recipeSchema.parse(values);
        const { model, data, output, training, ...rest } = trained;
        expect(rest).toMatchObject({
          template: asked.template,
          loss: asked.loss,

          seed: asked.seed,
        });
        expect(trained.lora).toEqual(asked.lora);
        expect(trained.evaluation).toEqual(asked.evaluation);
        // What the service settles where the form leaves it open.
        const { batchSize, learningRate, logEvery } = training;
        expect({ ...asked.training, batchSize, learningRate, logEvery }).toEqual(training);
      }),
    );
  });
});

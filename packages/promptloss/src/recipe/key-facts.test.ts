// What a key affects, held to what reads it: the fingerprint of a run, the address of a cell, and what is tokenized.
import { expect, test } from "vitest";
import { dataPlanOf } from "../data-plan/index.ts";
import { cellId } from "../study/plan/cell.ts";
import { hashOfRun } from "../training/fingerprint.ts";
import { factsOf } from "./key-facts.ts";
import { checkRecipe } from "./read-recipe.ts";
import { recipeSchema } from "./schema.ts";

/** Another value for every key; a key that is missing here fails the test. */
const OTHER: Readonly<Record<string, unknown>> = {
  model: "other",
  strict: true,
  initialize: "random",
  tokenizer: "other",
  data: "other.json",
  onBadRow: "skip",
  emptyCompletions: "refuse",
  maxRowBytes: 1000,
  maxUnpackedBytes: 1000,
  template: "tokenizer",
  turns: "last",
  rewrittenHistory: "split",
  templateVariables: { thinking: true },
  "loss.promptLossWeight": 0.5,
  "loss.allowAnyWeight": true,
  "loss.completionWeight": 0.5,
  "loss.perClass": { input: 0.5 },
  "loss.normalization": "all-mean",
  "loss.promptObjective": "denoise",
  "loss.ownDenominator": ["tool-result"],
  "loss.reduceOver": "micro-batch",
  "loss.labelSmoothing": 0.1,
  "loss.reweighting": "dft",
  "loss.reweightingOptions.confidence": 0.8,
  "loss.reweightingOptions.topTokens": 5,
  "loss.reweightingOptions.exponent": 2,
  "loss.reweightingOptions.threshold": 0.3,
  "loss.reweightingOptions.ratio": 0.3,
  "loss.reweightingOptions.predictions": "reference",
  "loss.reweightingOptions.reference": "other",
  maxLength: 64,
  overflow: "drop",
  seed: 7,
  "training.epochs": 5,
  "training.steps": 9,
  "training.batchSize": 3,
  "training.batchTokens": 99,
  "training.microBatchTokens": 77,
  "training.microBatchSize": 2,
  "training.order": "length",
  "training.learningRate": 0.5,
  "training.schedule": "constant",
  "training.warmupRatio": 0.5,
  "training.warmupSteps": 2,
  "training.betas": [0.5, 0.5],
  "training.epsilon": 0.1,
  "training.weightDecay": 0.1,
  "training.maxGradNorm": 0.1,
  "training.precision": "float32",
  "training.gradientCheckpointing": true,
  "training.dropout": 0.1,
  "training.neftuneAlpha": 5,
  "training.minkowski.order": 2,
  "training.minkowski.coefficient": 0.5,
  "training.kl.coefficient": 0.5,
  "training.freeze": ["*.bias"],
  "training.logEvery": 3,
  "training.device": "cuda",
  "training.threads": 3,
  "training.processes": 2,
  "training.sharding": "full",
  "training.processTimeout": 60,
  "adapter.kind": "dora",
  "adapter.rank": 3,
  "adapter.alpha": 3,
  "adapter.dropout": 0.1,
  "adapter.rslora": true,
  "adapter.targets": ["q_proj"],
  "adapter.tokens": 3,
  "adapter.size": 3,
  "adapter.base": "nf4",
  "adapter.merge": true,
  "lora.rank": 3,
  "lora.alpha": 3,
  "lora.dropout": 0.1,
  "lora.targets": ["q_proj"],
  "lora.base": "nf4",
  "lora.rslora": true,
  "lora.merge": true,
  "evaluation.data": "held-out.json",
  "evaluation.rows": 3,
  "evaluation.fraction": 0.2,
  "evaluation.unit": "row",
  "evaluation.metric": "content_loss",
  "evaluation.every": 3,
  "evaluation.patience": 3,
  "evaluation.keepBest": false,
  checkpoints: { every: 3 },
  probes: { generations: {} },
  logging: { reportTo: [] },
  output: "other",
};

const base = { model: "m", data: "rows.json", loss: { promptLossWeight: 0.1 }, output: "run" };

type Read = ReturnType<typeof checkRecipe>;

/** What a section has beside the key that is changed. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  loss: base.loss,
  training: { minkowski: { order: 1, coefficient: 0.1 }, kl: { coefficient: 0.1 } },
  adapter: { kind: "lora" },
  "adapter.tokens": { kind: "prefix" },
  "adapter.size": { kind: "bottleneck" },
  lora: {},
  evaluation: { rows: 5 },
};

/** The rule that takes an option, with what it needs. */
const RULES: Readonly<Record<string, object>> = {
  confidence: { reweighting: "infosft" },
  topTokens: { reweighting: "eaft" },
  exponent: { reweighting: "eaft" },
  threshold: { reweighting: "profit" },
  ratio: { reweighting: "rho-1", reweightingOptions: { reference: "r" } },
  predictions: { reweighting: "eaft" },
  reference: { reweighting: "rho-1", reweightingOptions: { reference: "r" } },
};

/** Of these, a recipe has one. */
const HELD_OUT = new Set(["rows", "data", "fraction"]);

/** The base with a key changed, and that without the change. */
function recipes(path: string, value: unknown): [before: Read, after: Read] {
  const [section, key, inner] = path.split(".") as [string, string?, string?];
  const read = (change: object): Read => checkRecipe({ ...base, ...change }, "r.yaml");
  if (key === undefined) return [read({}), read({ [section]: value })];
  const beside: Readonly<Record<string, unknown>> = {
    ...(BESIDE[path] ?? BESIDE[section]!),
    ...(key === "reweightingOptions" && RULES[inner!]),
  };
  const kept = HELD_OUT.has(key) ? {} : beside;
  const changed = inner === undefined ? value : { ...(beside[key] as object), [inner]: value };
  return [read({ [section]: beside }), read({ [section]: { ...kept, [key]: changed } })];
}

function fingerprint(recipe: Read): string {
  return hashOfRun(recipe, { dataHash: "d", modelHash: "m" });
}
function address(recipe: Read): string {
  return cellId(recipe, "/studies");
}
/** What rows are tokenized from, but for the seed, which counts where rows are drawn. */
function tokenized(recipe: Read): string {
  const { sources, read, heldOut, tokenizer, template, templateOptions, turns } = dataPlanOf(
    recipe,
    "r.yaml",
  );
  const held = heldOut !== undefined && "sources" in heldOut ? heldOut.sources : [];
  return JSON.stringify([sources, { ...read, seed: 0 }, held, tokenizer, template, templateOptions, turns]);
}

const facts = [...factsOf(recipeSchema)];

test.each(facts)("%s", (path, { affects, path: isPlace = false, machine = false }) => {
  expect(Object.keys(OTHER)).toContain(path);
  const value = OTHER[path];
  const [before, after] = recipes(path, value);
  const changes = (of: (recipe: Read) => string): boolean => of(before) !== of(after);
  const decides = affects === "data" || affects === "result";
  // A model or data in another place is the same; another held-out file takes the place of a number of rows.
  if (path !== "evaluation.data") expect([path, changes(fingerprint)]).toEqual([path, decides && !isPlace]);
  expect([path, changes(address)]).toEqual([path, affects !== "nothing" && !machine]);
  // The model is the tokenizer's place where none is named.
  expect([path, changes(tokenized)]).toEqual([path, affects === "data" || path === "model"]);
});

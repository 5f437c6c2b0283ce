// Keys of a model's config that nothing here reads: one note from every command that loads the model, an error under --strict.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, scope } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { packSequences } from "../src/models/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { prepareRun } from "../src/training/prepare.ts";
import { promptloss } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
let model: string;
let recipe: string;
let rows: string;
let commands: Readonly<Record<string, readonly string[]>>;

beforeAll(() => {
  folder = trainingFolder();
  model = join(folder.path, "model");
  rows = join(folder.path, "rows.json");
  const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as object;
  // The second and third are TinyLlama's own, and known to change nothing.
  const keys = { made_by: "me", unk_token_id: 0, _model_name_or_path: "a", rope_thta: 5 };
  writeFileSync(join(model, "config.json"), JSON.stringify({ ...config, ...keys }));
  recipe = folder.recipe("run", "training: { steps: 1 }\nevaluation: { rows: 4 }\n");
  const study = join(folder.path, "study.yaml");
  writeFileSync(
    study,
    `recipe: run.yaml\noutput: ${join(folder.path, "study")}\nfactors: { loss.promptLossWeight: [0, 1] }\ntasks: [held-out]\n`,
  );
  const others = join(folder.path, "others.json");
  writeFileSync(others, JSON.stringify([{ instruction: "Say pink.", output: "pink" }]));
  commands = {
    train: ["train", recipe, "--dry-run"],
    loss: ["loss", model, rows],
    generate: ["generate", model, "Say red.", "--max-new-tokens", "1"],
    chat: ["chat", model],
    serve: ["serve", model, "--port", "0"],
    judge: ["judge", rows, "--reference", rows, "--protocol", "pandalm", "--model", model, "--no-cache"],
    evaluate: ["evaluate", model, "--tasks", "piqa"],
    init: ["init", "--data", rows, "--model", model, "-o", join(folder.path, "made.yaml"), "--force"],
    tune: ["tune", recipe, "--runs", "2", "--test", others, "-o", join(folder.path, "search")],
    "study plan": ["study", "plan", study],
    "study run": ["study", "run", study],
    "study work": ["study", "work", study, "-o", join(folder.path, "work")],
    export: ["export", model, "-o", join(folder.path, "model.gguf"), "--overwrite"],
  };
});
afterAll(() => folder.remove());

const NAMED = /made_by.*rope_thta/;

describe("keys that are not known", () => {
  test.each(["train", "loss", "generate", "init", "export", "study plan"])("%s names them once", (name) => {
    const { status, stdout, stderr } = promptloss(commands[name]!);
    expect([status, name]).toEqual([0, name]);
    const said = `${stdout}${stderr}`.split("\n").filter((line) => NAMED.test(line));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("not known here, and taken to change nothing: made_by, rope_thta");
  });

  test.each([
    ...["train", "loss", "generate", "chat", "serve", "judge", "evaluate", "export", "init", "tune"],
    ...["study run", "study work"],
  ])("%s --strict refuses them", (name) => {
    const { status, stdout, stderr } = promptloss([...commands[name]!, "--strict"]);
    expect([status, name]).toEqual([1, name]);
    expect(`${stdout}${stderr}`).toContain("made_by: is not a setting that is known here (and rope_thta)");
  });

  test("study plan --strict says what a run would say", () => {
    const { stdout } = promptloss([...commands["study plan"]!, "--strict"]);
    expect(stdout).toContain("made_by: is not a setting that is known here (and rope_thta)");
  });

  test("the recipe's own strict does the same, and is no other run", async () => {
    const plain = await prepareRun(readRecipe(recipe));
    expect(plain.notes.filter((note) => NAMED.test(note))).toHaveLength(1);
    plain.free();
    await expect(prepareRun(readRecipe(recipe, { set: ["strict=true"] }))).rejects.toThrow("made_by");
  });
});

test("a vocabulary that is padded beyond the tokenizer's: ids without a text are no text", async () => {
  using generator = await TextGenerator.load(model, { dtype: "float32" });
  const { head, architecture } = generator.model;
  const last = architecture.vocabularySize - 1;
  expect(generator.tokenizer.tokenOf(last)).toBeUndefined();
  // The last row of the head becomes what the prompt's last position gives, the others 0: its logit is the only one above 0.
  const prompt = { text: "Say red." };
  const ids = await generator.promptIds(prompt);
  noGrad(() =>
    scope(() => {
      const hidden = generator.model
        .forward(packSequences([ids]))
        .narrow(0, ids.length - 1, 1)
        .clone();
      head.zero_();
      head.narrow(0, last, 1).copy_(hidden);
    }),
  );
  const [result] = await generator.generate([prompt], { maxNewTokens: 1 });
  expect(result!.sequences[0]).toMatchObject({ text: "", finishReason: "length" });
  expect([...result!.sequences[0]!.ids]).toEqual([last]);
});

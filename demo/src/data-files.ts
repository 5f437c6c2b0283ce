// The demo's files: rows to train on, questions about stories that no row has, the recipe, the tasks, and the study.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { writeStories } from "./stories.ts";

export interface DemoSize {
  readonly trainingStories: number;
  readonly heldOutStories: number;
  readonly epochs: number;
  readonly weights: readonly number[];
  readonly seeds: readonly number[];
}

/** Some five minutes of two cores. */
export const DEMO_SIZE: DemoSize = {
  trainingStories: 150,
  heldOutStories: 60,
  epochs: 2,
  weights: [0, 0.01, 0.1, 0.5, 1],
  seeds: [1, 2],
};

/** Held-out stories come from another seed; a story that both have is left out of the training rows. */
const SEEDS = { training: 1, heldOut: 2 };

/** Writes all of them into a folder, which has or will have the model under `model`. */
export const writeDemoFiles = (folder: string, size: DemoSize): { rows: number; questions: number } => {
  mkdirSync(folder, { recursive: true });
  const heldOut = writeStories(size.heldOutStories, SEEDS.heldOut);
  const known = new Set(heldOut.map(({ text }) => text));
  const training = writeStories(size.trainingStories, SEEDS.training).filter(({ text }) => !known.has(text));
  const rows = training.flatMap(({ text, questions }) =>
    questions.map(({ question, answer }) => ({ instruction: question, input: text, output: answer })),
  );
  const asked = heldOut.flatMap(({ text, questions }) =>
    questions.map((each) => ({ story: text, ...each, gold: each.choices.indexOf(each.answer) })),
  );
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write("rows.jsonl", lines(rows));
  write("questions.jsonl", lines(asked));
  write("recipe.yaml", RECIPE.replace("EPOCHS", String(size.epochs)));
  write("choices.yaml", CHOICES);
  write("answers.yaml", ANSWERS);
  const study = {
    WEIGHTS: size.weights.join(", "),
    SEEDS: size.seeds.join(", "),
    // From the working folder, as commands take it.
    OUTPUT: relative(process.cwd(), join(folder, "study")),
  };
  const filled = Object.entries(study).reduce((text, [name, value]) => text.replace(name, value), STUDY);
  write("study.yaml", filled);
  return { rows: rows.length, questions: asked.length };
};

const lines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");

const RECIPE = `# Fine-tunes a small model on questions about short stories.
# promptloss train recipe.yaml
model: model
data: { path: rows.jsonl, format: alpaca }
template:
  user: "{instruction}"
  userWithInput: "{input}\\n\\nQuestion: {instruction}\\nAnswer:"
  assistant: "{begin} {output}{stop}"
maxLength: 256
loss: { promptLossWeight: 0.1 }
training:
  epochs: EPOCHS
  batchSize: 16
  learningRate: 1e-4
  schedule: cosine
  warmupRatio: 0.1
evaluation: { rows: 24, every: epoch, keepBest: false }
checkpoints: { every: never }
output: run
`;

const CHOICES = `# The right one of four answers about a story that was not trained on.
task: choices
kind: multiple-choice
data: { test: questions.jsonl }
context: "{{story}}\\n\\nQuestion: {{question}}\\nAnswer:"
choices: choices
gold: "{{gold}}"
metrics: [acc]
`;

const ANSWERS = `# The same questions, answered freely: word overlap with the right answer.
task: answers
kind: generation
data: { test: questions.jsonl }
context: "{{story}}\\n\\nQuestion: {{question}}\\nAnswer:"
reference: "{{answer}}"
until: ["\\n"]
maxNewTokens: 12
metrics: [f1, exact_match]
`;

const STUDY = `# Five prompt loss weights, two seeds each.
# promptloss study run study.yaml
name: demo
recipe: recipe.yaml
factors:
  plw: [WEIGHTS]
  seed: [SEEDS]
tasks: [held-out, choices.yaml, answers.yaml]
taskData: .
output: OUTPUT
keep: scores
concurrency: 2
`;

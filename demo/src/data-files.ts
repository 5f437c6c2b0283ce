// The demo's files: rows to train on, questions about stories that no row has, the recipe, the tasks, and the study.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { writeStories } from "./stories.ts";

export interface DemoSize {
  readonly trainingStories: number;
  /** Stories whose completions' loss is measured while training. */
  readonly heldOutStories: number;
  /** Stories whose questions are asked of the trained models. */
  readonly testStories: number;
  readonly epochs: number;
  readonly weights: readonly number[];
  readonly seeds: readonly number[];
}

/**
 * Some minutes of two cores. The learning rate and the number of rows are those at which this model learns to answer;
 * three seeds a weight leave enough to tell the weights' differences from chance.
 */
export const DEMO_SIZE: DemoSize = {
  trainingStories: 40,
  heldOutStories: 20,
  testStories: 60,
  epochs: 6,
  weights: [0, 0.05, 0.25, 1],
  seeds: [1, 2, 3],
};

/** One stream of stories, cut in three: they all differ. */
const STORY_SEED = 1;

/** Writes all of them into a folder, which has or will have the model under `model`. */
export function writeDemoFiles(folder: string, size: DemoSize): { rows: number; questions: number } {
  mkdirSync(folder, { recursive: true });
  const { trainingStories, heldOutStories, testStories } = size;
  const stories = writeStories(trainingStories + heldOutStories + testStories, STORY_SEED);
  const rowsOf = (from: number, to: number): object[] =>
    stories
      .slice(from, to)
      .flatMap(({ text, questions }) =>
        questions.map(({ question, answer }) => ({ instruction: question, input: text, output: answer })),
      );
  const rows = rowsOf(0, trainingStories);
  const heldOut = rowsOf(trainingStories, trainingStories + heldOutStories);
  const asked = stories
    .slice(trainingStories + heldOutStories)
    .flatMap(({ text, questions }) =>
      questions.map((each) => ({ story: text, ...each, gold: each.choices.indexOf(each.answer) })),
    );
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write("rows.jsonl", lines(rows));
  write("held-out.jsonl", lines(heldOut));
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
}

function lines(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

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
  learningRate: 3e-4
  schedule: cosine
  warmupRatio: 0.1
# Other stories, measured once: the last step always is.
evaluation: { data: held-out.jsonl, every: 1000, keepBest: false }
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

const STUDY = `# A few prompt loss weights, each with several seeds.
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

// The whole loop at small size: data, its numbers, trainings and evaluations, what they show, a choice, a report.
import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import pc from "picocolors";
import { prepareBaseModel } from "./base-model.ts";
import { announce, run } from "./commands.ts";
import { type DemoSize, writeDemoFiles } from "./data-files.ts";
import { sideBySide } from "./side-by-side.ts";

export interface DemoOptions {
  readonly size: DemoSize;
  /** Where all goes. */
  readonly folder: string;
  /** Begin anew; otherwise what is done is not done again. */
  readonly fresh: boolean;
}

export function demo({ size, folder, fresh }: DemoOptions): void {
  const began = performance.now();
  const place = (name: string): string => relative(process.cwd(), join(folder, name)) || ".";
  const [recipe, study] = [place("recipe.yaml"), place("study.yaml")];
  if (fresh) rmSync(folder, { recursive: true, force: true });

  const written = writeDemoFiles(folder, size);
  announce(
    "1  A data set and a model",
    `${written.rows} questions about short stories to train on, ${written.questions} about other stories to test; ` +
      "and stories15M, a model of 15 M parameters that was pretrained on children's stories.",
  );
  prepareBaseModel(join(folder, "model"));
  for (const name of ["rows.jsonl", "held-out.jsonl", "questions.jsonl", "model"]) console.log(place(name));

  announce(
    "2  What is in the data",
    "Completions are far shorter than prompts, so the prompt loss weight matters. Which one to use?",
  );
  run("inspect", place("rows.jsonl"), "--tokenizer", place("model"), "--template", "plain");

  announce("3  What training will see", "Every token with its weight, here for a weight of 0.1.");
  run("preview", recipe, "--rows", "1");

  const cells = size.weights.length * size.seeds.length;
  announce(
    "4  Train and evaluate",
    `${size.weights.length} weights and ${size.seeds.length} seeds: ${cells} models, each asked about the held-out stories. ` +
      "Ctrl-C stops it; the demo resumes where it stopped.",
  );
  run("study", "run", study);

  announce(
    "5  What came out",
    "Which weights differ, corrected for all that is tested; the content of the answers and their stop token apart.",
  );
  run("study", "results", study);

  announce(
    "6  Which weight",
    "By the loss of held-out answers' content. A choice needs no significance, a claim does.",
  );
  const objective = "held-out content_loss";
  run("recommend", recipe, "--study", place("study"), "--objective", objective);

  announce("7  The report", "Charts, models and method as one page.");
  const report = place("report.html");
  run("study", "report", study, "--output", report);

  announce("8  Side by side", "Three answers to three questions.");
  sideBySide({ recipe, study, folder: place("study"), objective });

  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${pc.green("✓")} done in ${minutes} minutes; open ${pc.bold(report)} in a browser`);
  console.log(
    pc.dim(`With data of your own: npx promptloss inspect DATA --tokenizer MODEL, then edit ${study}.`),
  );
}

// What the paper advises, what this data's runs show, and the weight to use: three answers to three questions, beside
// each other, each from a command's JSON.
import pc from "picocolors";
import { ask } from "./commands.ts";

interface Choice {
  readonly sentence: string;
}

interface Model {
  readonly taskGroup: string | null;
  readonly benchmark: string | null;
  readonly finding: { readonly verdict: string } | null;
  readonly problem: string | null;
}

export interface SideBySideOptions {
  readonly recipe: string;
  readonly study: string;
  /** The study's output folder. */
  readonly folder: string;
  /** What the weight is chosen by: a task and its metric. */
  readonly objective: string;
}

export function sideBySide({ recipe, study, folder, objective }: SideBySideOptions): void {
  const advice = ask<Choice>("recommend", recipe, "--json");
  const { models } = ask<{ models: readonly Model[] }>("study", "results", study, "--json");
  const choice = ask<Choice>("recommend", recipe, "--study", folder, "--objective", objective, "--json");
  const verdictOf = ({ finding, problem }: Model): string => finding?.verdict ?? `${problem}.`;
  const evidence = models.filter(({ taskGroup }) => taskGroup === null);
  if (evidence.length === 0) throw new Error(`${study} has no finding`);
  show("the paper advises", [advice.sentence]);
  show(
    "this data shows",
    evidence.map((model) => `${model.benchmark ?? "all tasks"}: ${verdictOf(model)}`),
  );
  show("the choice", [choice.sentence]);
}

function show(name: string, lines: readonly string[]): void {
  for (const [i, line] of lines.entries()) console.log(`${pc.bold((i === 0 ? name : "").padEnd(19))}${line}`);
  console.log();
}

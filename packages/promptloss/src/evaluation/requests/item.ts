// A row as what a model is asked: contexts with continuations to score, or a context to continue. Plain text; tokens
// come later.
import { strip } from "../python-text.ts";
import { listOf, type Row, RowProblem, render, textsAt, valueAt } from "../tasks/render.ts";
import type { EvaluationTask, GenerationTask, LikelihoodTask, MultipleChoiceTask } from "../tasks/schema.ts";

export interface ScoredPair {
  readonly context: string;
  readonly continuation: string;
}

/** Choices to score. */
export interface ChoiceItem {
  readonly kind: "multiple-choice";
  readonly pairs: readonly ScoredPair[];
  /** What lengths are counted of. */
  readonly choices: readonly string[];
  /** Whether each is right. */
  readonly right: readonly boolean[];
}

export interface LikelihoodItem {
  readonly kind: "likelihood";
  readonly pairs: readonly [ScoredPair];
}

export interface GenerationItem {
  readonly kind: "generation";
  readonly context: string;
  /** Empty where the task compares with right and wrong answers. */
  readonly references: readonly string[];
  readonly right: readonly string[];
  readonly wrong: readonly string[];
}

export type Item = ChoiceItem | LikelihoodItem | GenerationItem;

/**
 * @param before description and examples
 * @throws {RowProblem} for a row that lacks a field or has another kind of value there
 */
export function itemOf(task: EvaluationTask, row: Row, before = ""): Item {
  if (task.kind === "multiple-choice") return choiceItem(task, row, before);
  if (task.kind === "likelihood") return { kind: "likelihood", pairs: [likelihoodPair(task, row, before)] };
  return {
    kind: "generation",
    context: before + render(task.context, row),
    references: referencesOf(task, row),
    right: task.right === undefined ? [] : answers(textsAt(task.right, row), ["I have no comment."]),
    wrong: task.wrong === undefined ? [] : answers(textsAt(task.wrong, row), []),
  };
}

/** A row with its answer, as an example for others: context, delimiter, the right answer. */
export function exampleOf(task: EvaluationTask, row: Row): string {
  if (task.kind === "multiple-choice") {
    const { pairs, right } = choiceItem(task, row, "");
    const { context, continuation } = pairs[right.indexOf(true)]!;
    return context + continuation;
  }
  if (task.kind === "likelihood") {
    const { context, continuation } = likelihoodPair(task, row, "");
    return context + continuation;
  }
  return render(task.context, row) + task.delimiter + (referencesOf(task, row)[0] ?? "");
}

function choiceItem(task: MultipleChoiceTask, row: Row, before: string): ChoiceItem {
  const { context, delimiter } = task;
  if (Array.isArray(context)) {
    const contexts = context.map((each) => render(each, row));
    const continuation = delimiter + render(task.continuation!, row);
    return {
      kind: "multiple-choice",
      pairs: contexts.map((each) => ({ context: before + each, continuation })),
      choices: contexts,
      right: rightOf(task, row, contexts),
    };
  }
  const choices = listOf(task.choices!, row);
  const shared = before + render(context, row);
  if (choices.length < 2) throw new RowProblem("there are fewer than two choices");
  const blank = choices.findIndex((choice) => strip(choice) === "");
  if (blank >= 0) throw new RowProblem(`${fieldsOf(task.choices!)}: choice ${blank} is blank`);
  return {
    kind: "multiple-choice",
    pairs: choices.map((choice) => ({ context: shared, continuation: delimiter + choice })),
    choices,
    right: rightOf(task, row, choices),
  };
}

function rightOf(task: MultipleChoiceTask, row: Row, choices: readonly string[]): boolean[] {
  if (task.labels !== undefined) {
    const labels = valueAt(task.labels, row);
    if (!Array.isArray(labels) || labels.length !== choices.length)
      throw new RowProblem(`${task.labels} has not one label for each of the ${choices.length} choices`);
    const odd = labels.find((label) => label !== 0 && label !== 1);
    if (odd !== undefined) throw new RowProblem(`${task.labels} has ${JSON.stringify(odd)}, expected 0 or 1`);
    if (!labels.some((label) => label === 1)) throw new RowProblem(`${task.labels} has no right choice`);
    return labels.map((label) => label === 1);
  }
  const index = goldIndex(task, row, choices.length);
  return choices.map((_, i) => i === index);
}

/** The right choice's place: a number in range, or the place of a name. */
function goldIndex(task: MultipleChoiceTask, row: Row, choices: number): number {
  const gold = String(typeof task.gold === "string" ? render(task.gold, row) : task.gold);
  const names = task.goldIn === undefined ? undefined : listOf(task.goldIn, row);
  // "", " ", "0x1" and "1e0" are numbers to JavaScript too.
  const index = names?.indexOf(gold) ?? (/^\d+$/.test(gold) ? Number(gold) : -1);
  if (index >= 0 && index < choices) return index;
  const wanted =
    names === undefined ? `a whole number from 0 to ${choices - 1}` : `one of ${names.join(", ")}`;
  throw new RowProblem(`gold ${task.gold}: expected ${wanted}, got ${JSON.stringify(gold)}`);
}

function fieldsOf(list: string | readonly string[]): string {
  return [list].flat().join(", ");
}

function likelihoodPair(task: LikelihoodTask, row: Row, before: string): ScoredPair {
  return {
    context: before + render(task.context, row),
    continuation: task.delimiter + render(task.completion, row),
  };
}

function referencesOf({ reference, references }: GenerationTask, row: Row): string[] {
  if (references !== undefined) {
    const texts = textsAt(references, row);
    if (texts.length === 0) throw new RowProblem(`${references} is empty`);
    return texts;
  }
  return reference === undefined ? [] : [render(reference, row)];
}

/** TruthfulQA's: stripped, each with a full stop at its end, and one that always holds. */
function answers(texts: readonly string[], always: readonly string[]): string[] {
  const stripped = texts.map(strip).filter((text) => text !== "");
  const dotted = stripped.map((text) => (text.endsWith(".") ? text : `${text}.`));
  return [...dotted, ...always.filter((text) => !dotted.includes(text))];
}

// The output folder: scores.jsonl, and records/ with a line for every item as soon as it is scored. Lines stand under
// the fingerprint of what made them, so that an evaluation that was cut short goes on, and only where it may.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, refusing, replaceFile } from "../../files/atomic.ts";
import { EvaluationError } from "../errors.ts";
import type { EvaluationRecord, EvaluationScore } from "./types.ts";

export function scoresFile(folder: string): string {
  return join(folder, "scores.jsonl");
}

export function recordsFolder(folder: string): string {
  return join(folder, "records");
}

function linesOf(path: string): unknown[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as unknown];
      } catch {
        // The last line of a process that was killed while it wrote.
        return [];
      }
    });
}

function jsonLines(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** JSON has null for NaN and infinity, which sums would take for 0. */
function hasNumbers({ metrics }: EvaluationRecord): boolean {
  return Object.values(metrics).every(Number.isFinite);
}

/** The records of an evaluation's output folder. @throws {EvaluationError} where there are none */
export function readRecords(folder: string, task: string): EvaluationRecord[] {
  const path = join(recordsFolder(folder), `${task}.jsonl`);
  if (!existsSync(path))
    throw new EvaluationError(`${path}: there is no such file`, {
      hint: "give the output folder of promptloss evaluate",
    });
  return linesOf(path) as EvaluationRecord[];
}

/** The scores of an evaluation's output folder. @throws {EvaluationError} where there are none */
export function readScores(folder: string): EvaluationScore[] {
  const path = scoresFile(folder);
  if (!existsSync(path))
    throw new EvaluationError(`${path}: there is no such file`, {
      hint: "give the output folder of promptloss evaluate",
    });
  return linesOf(path) as EvaluationScore[];
}

/** One task's records on disk. */
export class RecordFile {
  readonly #path: string;
  /** Items that are done, by their place. */
  readonly records: ReadonlyMap<number, EvaluationRecord>;

  /**
   * @param made all that the records depend on; undefined for what can't be told apart, which is begun anew
   * @throws {EvaluationError} where records of something else lie there
   */
  constructor(folder: string, task: string, made: unknown, overwrite: boolean) {
    makeFolder(recordsFolder(folder));
    this.#path = join(recordsFolder(folder), `${task}.jsonl`);
    const mark = join(recordsFolder(folder), `${task}.fingerprint`);
    const fingerprint = createHash("sha256")
      .update(JSON.stringify(made ?? null))
      .digest("hex");
    const known = existsSync(mark) ? readFileSync(mark, "utf8").trim() : undefined;
    const same = made !== undefined && known === fingerprint;
    if (!same && !overwrite && existsSync(this.#path))
      throw new EvaluationError(`${this.#path}: the records are of another model, task or setting`, {
        hint: "choose another output folder, or overwrite them",
      });
    const kept = same && !overwrite ? (linesOf(this.#path) as EvaluationRecord[]).filter(hasNumbers) : [];
    this.records = new Map(kept.map((record) => [record.item, record]));
    replaceFile(this.#path, jsonLines(kept));
    replaceFile(mark, `${fingerprint}\n`);
  }

  append(records: readonly EvaluationRecord[]): void {
    if (records.length > 0) refusing(this.#path, () => appendFileSync(this.#path, jsonLines(records)));
  }

  /** All items in their order. */
  finish(records: readonly EvaluationRecord[]): void {
    replaceFile(this.#path, jsonLines(records));
  }
}

/** Puts a task's scores in place of those that the folder had of it. */
export function writeScores(folder: string, task: string, scores: readonly EvaluationScore[]): void {
  const path = scoresFile(folder);
  const known = linesOf(path) as EvaluationScore[];
  const first = known.findIndex((score) => score.task === task);
  const others = known.filter((score) => score.task !== task);
  others.splice(first < 0 ? others.length : first, 0, ...scores);
  replaceFile(path, jsonLines(others));
}

// Weights & Biases as a sink: the folder of an offline run, which `wandb sync` sends. Nothing is sent from here.
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolder, replaceFile } from "../../../../files/atomic.ts";
import type { Recipe } from "../../../../recipe/index.ts";
import { version } from "../../../../version.ts";
import type { EvaluationEvent, StepEvent } from "../../event.ts";
import { scalarsOf } from "../../scalars.ts";
import { timed } from "../past.ts";
import { settledRecipe } from "../settled-recipe.ts";
import type { Sink, SinkEnd, SinkRun } from "../sink.ts";
import { framedRecord, LOG_HEADER, recordsOf } from "./log-file.ts";
import { exitRecord, headerRecord, historyRecord, kindOf, runRecord, summaryRecord } from "./records.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** W&B takes no longer tag. */
const TAG_LENGTH = 64;

const FOLDER = /^offline-run-\d{8}_\d{6}-(\w+)$/;

export class WandbSink implements Sink {
  readonly name = "wandb";
  readonly #folder: string;
  readonly #logging: Recipe["logging"];
  readonly #runName: string;
  readonly #environment: Environment;
  #file: number | undefined;
  #size = 0;
  #records = 0;
  #startedAt = 0;
  /** The step whose numbers are not all there yet: an evaluation after it belongs to it. */
  #row: { readonly step: number; numbers: Record<string, number> } | undefined;

  /**
   * @param folder where the run's folder goes
   * @param runName where the recipe names none
   */
  constructor(folder: string, logging: Recipe["logging"], runName: string, environment: Environment) {
    this.#folder = folder;
    this.#logging = logging;
    this.#runName = runName;
    this.#environment = environment;
  }

  open(run: SinkRun): void {
    const { start, startedAt, past } = run;
    this.#startedAt = startedAt;
    makeFolder(this.#folder);
    const found = readdirSync(this.#folder).find((name) => FOLDER.test(name));
    const id = (found && FOLDER.exec(found)?.[1]) ?? randomBytes(4).toString("hex");
    const folder = join(this.#folder, found ?? `offline-run-${timeName(startedAt)}-${id}`);
    makeFolder(folder);
    makeFolder(join(folder, "files"));
    const path = join(folder, `run-${id}.wandb`);
    const held = existsSync(path) ? keptRecords(readFileSync(path), start.firstStep) : undefined;
    // Header and run are written anew: a longer run has another recipe.
    const records = [
      headerRecord(1, `promptloss ${version}`),
      runRecord(2, this.#described(run, id)),
      ...(held?.records ?? []),
    ];
    const parts: Buffer[] = [LOG_HEADER];
    let size = LOG_HEADER.length;
    for (const record of records) {
      const framed = framedRecord(record, size);
      parts.push(framed);
      size += framed.length;
    }
    replaceFile(path, Buffer.concat(parts));
    this.#size = size;
    this.#records = records.length;
    this.#file = openSync(path, "a");
    for (const { event, at } of timed(past, startedAt))
      if (event.step > (held?.lastStep ?? 0)) this.#take(event, at);
  }

  add(event: StepEvent | EvaluationEvent): void {
    this.#take(event, Date.now());
  }

  async close(end: SinkEnd | undefined): Promise<void> {
    if (this.#file === undefined) return;
    try {
      this.#flush();
      if (end !== undefined)
        this.#write((number) => exitRecord(number, end.reason, Math.max(0, end.at - this.#startedAt) / 1000));
    } finally {
      closeSync(this.#file);
      this.#file = undefined;
    }
  }

  #described(run: SinkRun, id: string) {
    const { project, runName, tags } = this.#logging;
    const { WANDB_PROJECT, WANDB_ENTITY, WANDB_RUN_GROUP } = this.#environment;
    return {
      id,
      entity: WANDB_ENTITY || undefined,
      project: project ?? (WANDB_PROJECT || "promptloss"),
      name: runName ?? this.#runName,
      group: tags.study ?? (WANDB_RUN_GROUP || undefined),
      tags: Object.entries(tags).map(([key, value]) => `${key}:${value}`.slice(0, TAG_LENGTH)),
      config: settledRecipe(run),
      host: hostname(),
      startedAt: run.startedAt,
    };
  }

  #take(event: StepEvent | EvaluationEvent, at: number): void {
    if (this.#row !== undefined && this.#row.step !== event.step) this.#flush();
    const finite = Object.entries(scalarsOf(event)).filter(([, value]) => Number.isFinite(value));
    const times = { _step: event.step, _timestamp: at / 1000, _runtime: (at - this.#startedAt) / 1000 };
    this.#row ??= { step: event.step, numbers: {} };
    this.#row.numbers = { ...this.#row.numbers, ...Object.fromEntries(finite), ...times };
  }

  #flush(): void {
    const row = this.#row;
    if (row === undefined) return;
    this.#row = undefined;
    this.#write((number) => historyRecord(number, row.step, row.numbers));
    this.#write((number) => summaryRecord(number, row.numbers));
  }

  #write(make: (number: number) => Buffer): void {
    if (this.#file === undefined) return;
    const framed = framedRecord(make(this.#records + 1), this.#size);
    writeSync(this.#file, framed);
    this.#records++;
    this.#size += framed.length;
  }
}

/** What stays of a run that goes on after a step: its numbers up to there. */
function keptRecords(file: Buffer, afterStep: number): { records: Buffer[]; lastStep: number } {
  const records: Buffer[] = [];
  let lastStep = 0;
  for (const record of recordsOf(file).slice(2)) {
    const { step, isExit } = kindOf(record);
    if (isExit || (step ?? 0) > afterStep) break;
    lastStep = step ?? lastStep;
    records.push(record);
  }
  return { records, lastStep };
}

/** "20260131_235959", in UTC. */
function timeName(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]/g, "").replace("T", "_").slice(0, 15);
}

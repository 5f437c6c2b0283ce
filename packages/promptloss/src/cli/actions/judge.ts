// `promptloss judge`: which of two answers a judge prefers, over a file of them.
import { join } from "node:path";
import { setNumThreads } from "@promptloss/torch";
import { cacheFolder, thisMachine } from "@promptloss/torch/machine";
import { PromptlossError } from "../../errors.ts";
import {
  type JudgeSettings,
  type Judgment,
  judgePairs,
  openJudge,
  PROTOCOLS,
  type ProtocolName,
  pairOutputs,
  readOutputs,
} from "../../evaluation/judges/index.ts";
import { type JudgeKind, judgeKind, strayKeys } from "../../evaluation/judges/judge-settings.ts";
import { replaceFile } from "../../files/atomic.ts";
import { checkOutputFile, protectInputs } from "../../files/output.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import type { ModelFlags } from "../generation/options.ts";
import { printNotes } from "../notes.ts";
import { flagOf } from "../options.ts";
import { Progress } from "../progress.ts";

interface Flags extends ModelFlags, EndpointFlags {
  reference: string;
  protocol: ProtocolName;
  model?: string;
  batchSize?: number;
  seed: number;
  limit?: number;
  cache?: string | false;
  records?: string;
  json?: true;
}

interface EndpointFlags {
  endpoint?: string;
  judge?: string;
  apiKeyEnv?: string;
  concurrency?: number;
  requestsPerMinute?: number;
  retries?: number;
  timeout?: number;
  body?: Record<string, unknown>;
}

export async function run(file: string, flags: Flags): Promise<void> {
  const settings = judgeSettings(flags);
  checkJudge(settings, flags);
  const cache = flags.cache === false ? undefined : (flags.cache ?? defaultCache());
  const written = [flags.records, cache].filter((path) => path !== undefined);
  for (const path of written) checkOutputFile(path);
  protectInputs(written, [
    { what: "the outputs", path: file },
    { what: "the reference", path: flags.reference },
    ...(flags.model === undefined ? [] : [{ what: "the judge's model", path: flags.model }]),
    ...(flags.adapter === undefined ? [] : [{ what: "the judge's adapter", path: flags.adapter }]),
  ]);
  const outputs = readOutputs(file).slice(0, flags.limit);
  const pairs = pairOutputs(outputs, readOutputs(flags.reference), { file });
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new PromptlossError("interrupted", { hint: GOES_ON }));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const progress = new Progress("pairs", pairs.length);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const { judge, notes, free } = await openJudge(settings);
  printNotes(notes);
  try {
    const judgment = await judgePairs(pairs, judge, {
      protocol: flags.protocol,
      seed: flags.seed,
      ...(cache !== undefined && { cache }),
      onProgress: (judged) => progress.show(judged),
      signal: abort.signal,
    });
    progress.end();
    if (flags.records !== undefined) writeRecords(flags.records, judgment);
    const { pairs: _pairs, ...result } = judgment;
    process.stdout.write(flags.json ? `${harmlessJson(result)}\n` : rendered(judgment));
  } finally {
    progress.end();
    free();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

const GOES_ON = "the same command resumes where it stopped";

/** The flags of settings that have names of their own here. */
const FLAG_OF: Partial<Record<keyof JudgeSettings | "threads", string>> = {
  model: "--judge",
  folder: "--model",
};

function judgeSettings(flags: Flags): JudgeSettings {
  const { endpoint, judge, apiKeyEnv, concurrency, requestsPerMinute, retries, timeout, body } = flags;
  const { model, adapter, template, batchSize, dtype, storage, device, strict } = flags;
  return {
    ...{ endpoint, model: judge, apiKeyEnv, concurrency, requestsPerMinute, retries, timeout, body },
    ...{ folder: model, adapter, template, batchSize, dtype, storage, device, strict },
  };
}

/** @throws {PromptlossError} for flags of no judge, of two, or of the other kind */
function checkJudge(settings: JudgeSettings, { threads }: Flags): void {
  const kind = judgeKind(settings);
  if (kind === undefined)
    throw new PromptlossError("a judge is an endpoint or a model", {
      hint: "give one of --endpoint and --model",
    });
  const strays: { key: keyof typeof FLAG_OF; needs: JudgeKind }[] = strayKeys(settings);
  if (kind === "endpoint" && threads !== undefined) strays.push({ key: "threads", needs: "folder" });
  const [stray] = strays;
  if (stray === undefined) return;
  const nameOf = (key: keyof typeof FLAG_OF): string => FLAG_OF[key] ?? flagOf(key);
  throw new PromptlossError(`${nameOf(stray.key)} belongs to ${nameOf(stray.needs)}`, {
    hint: "leave it out",
  });
}

/** One for all: its keys say who was asked what. */
function defaultCache(): string {
  return join(cacheFolder(thisMachine()), "judges", "answers.jsonl");
}

function writeRecords(file: string, { pairs, protocol, judge, seed }: Judgment): void {
  const lines = pairs.map((pair) => `${harmlessJson({ ...pair, protocol, judge, seed })}\n`);
  replaceFile(file, lines.join(""));
}

function rendered(judgment: Judgment): string {
  const { judge, protocol, wins, losses, ties, unreadable, lengthControlled, fromCache } = judgment;
  const percent = (value: number, error: number | undefined): string =>
    `${value.toFixed(2)} %${error === undefined ? "" : ` ± ${error.toFixed(2)}`}`;
  const rows: [string, string][] = [
    ["wins", String(wins)],
    ["losses", String(losses)],
    ["ties", String(ties)],
    ["win rate", percent(judgment.winRate, judgment.standardError)],
    [
      "length-controlled",
      lengthControlled === undefined
        ? "no estimate"
        : percent(lengthControlled.winRate, lengthControlled.standardError),
    ],
  ];
  const counted = PROTOCOLS[protocol].unreadableIsTie ? "counted as ties" : "left out";
  if (unreadable > 0) rows.push(["unreadable", `${unreadable}, ${counted}`]);
  if (fromCache > 0) rows.push(["from the cache", String(fromCache)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return `${ink.bold(`${protocol} by ${judge}`)}\n${lines.join("\n")}\n`;
}

// `promptloss push`: a run's model or adapter → the hub, with a card.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { readExamples } from "../../data/rows/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { dataPlanOf } from "../../data-plan/index.ts";
import { PromptlossError } from "../../errors.ts";
import type { EvaluationScore } from "../../evaluation/run/types.ts";
import { isRunFolder } from "../../generation/text/model-folder.ts";
import { hubModelName, hubSettings } from "../../hub/index.ts";
import { type Pushed, type PushFile, type PushPlan, planPush, pushFiles } from "../../hub/push.ts";
import { ratioOfData } from "../../inspect/data-ratio.ts";
import { isJsonObject } from "../../json-object.ts";
import { ADAPTER_CONFIG, readAdapterConfig } from "../../models/lora/adapter-config.ts";
import { barLine, harmlessJson } from "../../terminal/index.ts";
import type { EvaluationEvent } from "../../training/events/event.ts";
import { readMetrics } from "../../training/events/metrics-file.ts";
import { finishedEnd, type Manifest, readManifest } from "../../training/manifest.ts";
import { printNotes } from "../notes.ts";
import { lineWidth, StatusLine, watchedHub } from "../progress.ts";
import { modelCard } from "../push/card.ts";
import { bytes } from "../train/format.ts";

interface Flags {
  private?: true;
  scores?: string;
  dryRun?: true;
  json?: true;
}

/** A model's folder, and the run that it comes from. */
interface Source {
  readonly folder: string;
  readonly run: string | undefined;
  readonly manifest: Manifest | undefined;
}

export async function runPush(named: string, id: string, flags: Flags): Promise<void> {
  if (hubModelName(id)?.id !== id)
    throw new PromptlossError(`${id}: is no name of a repository`, { hint: "name it owner/name" });
  const source = sourceOf(named);
  const notes: string[] = [];
  const card = await cardOf(id, source, flags, notes);
  const files = filesOf(source.folder, card);
  const settings = hubSettings({});
  printNotes(notes);
  if (flags.dryRun) {
    const plan = await planPush(id, files, settings);
    if (flags.private && plan.exists) printNotes([visibilityNote(id)]);
    process.stdout.write(flags.json ? printedJson(id, plan, { card }) : `${planLines(id, plan)}\n${card}`);
    return;
  }
  const line = new StatusLine();
  const pushed = await pushFiles(id, files, settings, {
    isPrivate: flags.private === true,
    title: titleOf(source),
    onProgress: (path, share) => line.show(() => barLine(share, path, lineWidth(process.stderr))),
  });
  line.end();
  if (flags.private && pushed.exists) printNotes([visibilityNote(id)]);
  process.stdout.write(flags.json ? printedJson(id, pushed, pushed) : `${sentLine(pushed)}\n`);
}

function visibilityNote(id: string): string {
  return `${id}: is there already and stays as visible as it is; --private makes new repositories private`;
}

function sourceOf(named: string): Source {
  if (!existsSync(named))
    throw new PromptlossError(`${named}: no such folder`, {
      hint: "name a run, a model folder or an adapter's",
    });
  const own = isRunFolder(named);
  const parent = dirname(resolve(named));
  const run = own ? named : existsSync(join(parent, "manifest.json")) ? parent : undefined;
  const folder = own ? join(named, "model") : named;
  const manifest = run === undefined ? undefined : readManifest(join(run, "manifest.json"));
  if (own && (finishedEnd(manifest) === undefined || !existsSync(folder)))
    throw new PromptlossError(`${named}: the run has written no model yet`, {
      hint: "promptloss train on the same recipe resumes it",
    });
  if (!["config.json", ADAPTER_CONFIG].some((name) => existsSync(join(folder, name))))
    throw new PromptlossError(`${folder}: has neither a model nor an adapter`, {
      hint: "name a run, a folder with config.json, or one with adapter_config.json",
    });
  return { folder, run, manifest };
}

/** All files of the folder but hidden ones; a card of its own is kept. */
function filesOf(folder: string, card: string): PushFile[] {
  const names = readdirSync(folder).filter(
    (name) => !name.startsWith(".") && statSync(join(folder, name)).isFile(),
  );
  return [
    { path: "README.md", content: { text: card } },
    ...names
      .filter((name) => name !== "README.md")
      .map((name) => ({ path: name, content: { file: join(folder, name) } })),
  ];
}

async function cardOf(
  id: string,
  { folder, run, manifest }: Source,
  { scores: file }: Flags,
  notes: string[],
): Promise<string> {
  const own = join(folder, "README.md");
  if (existsSync(own)) {
    if (file !== undefined)
      throw new PromptlossError(`${own}: is the card, so --scores has no use`, {
        hint: "move it away to have a card written",
      });
    notes.push(`${own} is pushed as the card`);
    return readFileSync(own, "utf8");
  }
  const isAdapter = existsSync(join(folder, ADAPTER_CONFIG));
  const named = isAdapter ? readAdapterConfig(folder).base_model_name_or_path : manifest?.recipe.model;
  return modelCard({
    ...{ id, manifest, isAdapter },
    base: typeof named === "string" ? named : undefined,
    generationRatio: manifest && (await ratioOf(manifest, notes)),
    heldOut: run === undefined ? undefined : heldOutOf(run, manifest),
    scores: file === undefined ? [] : readScores(file),
  });
}

/** Of the data where it lies now; a note where it is gone. */
async function ratioOf({ recipe }: Manifest, notes: string[]): Promise<number | undefined> {
  try {
    const { sources, read, tokenizer } = dataPlanOf(recipe, "the run's recipe");
    const examples = readExamples(sources, { ...read, hub: watchedHub() });
    const { generationRatio } = await ratioOfData(examples, { tokenizer: await loadTokenizer(tokenizer) });
    return generationRatio.ratioOfMeans;
  } catch (error) {
    if (!(error instanceof PromptlossError)) throw error;
    notes.push(`the card has no generation ratio: ${error.message}`);
    return undefined;
  }
}

function heldOutOf(run: string, manifest: Manifest | undefined): EvaluationEvent | undefined {
  const step = finishedEnd(manifest)?.writtenStep;
  return readMetrics(join(run, "metrics.jsonl")).find(
    (line): line is EvaluationEvent => line.type === "evaluation" && line.step === step,
  );
}

/** @throws {PromptlossError} for a file that isn't what `evaluate --json` prints */
function readScores(file: string): EvaluationScore[] {
  const hint = "give what promptloss evaluate MODEL --tasks … --json printed";
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new PromptlossError(`${file}: can't be read as JSON: ${(cause as Error).message}`, { hint, cause });
  }
  const scores = isJsonObject(found) && Array.isArray(found.scores) ? found.scores : undefined;
  const isScore = (each: unknown): boolean =>
    isJsonObject(each) &&
    typeof each.task === "string" &&
    typeof each.metric === "string" &&
    typeof each.value === "number" &&
    isJsonObject(each.settings);
  if (scores === undefined || !scores.every(isScore))
    throw new PromptlossError(`${file}: holds no scores`, { hint });
  return scores as unknown as EvaluationScore[];
}

function titleOf({ manifest }: Source): string {
  return manifest === undefined
    ? "Upload with promptloss"
    : `Upload with promptloss: prompt loss weight ${manifest.promptLossWeight}`;
}

function total(files: PushPlan["send"]): string {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return `${files.length} ${files.length === 1 ? "file" : "files"}, ${bytes(size)}`;
}

function planLines(id: string, { exists, send, same }: PushPlan): string {
  const head = `${id}: ${exists ? "is there" : "would be made"}; to send: ${total(send)}; there already: ${total(same)}`;
  return [head, ...send.map(({ path, size }) => `  ${path}  ${bytes(size)}`), ""].join("\n");
}

function sentLine({ url, commit, send, same }: Pushed): string {
  if (commit === undefined) return `${url}: all ${same.length} files are there already`;
  return `${url}: sent ${total(send)}; ${same.length} there already; commit ${commit}`;
}

function printedJson(id: string, { exists, send, same }: PushPlan, more: object): string {
  const sizes = (files: PushPlan["send"]): object[] => files.map(({ path, size }) => ({ path, size }));
  const { url, commit, card } = more as { url?: string; commit?: string; card?: string };
  return `${harmlessJson({ id, exists, send: sizes(send), same: sizes(same), url, commit, card }, 2)}\n`;
}

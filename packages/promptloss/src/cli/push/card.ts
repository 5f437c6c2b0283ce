// The card of a model that is pushed: YAML that the hub reads, and a text that says how the model was trained.
import { basename, isAbsolute } from "node:path";
import { stringify } from "yaml";
import type { EvaluationScore } from "../../evaluation/run/types.ts";
import { hubModelOf, isHubId } from "../../hub/index.ts";
import { isJsonObject } from "../../json-object.ts";
import type { EvaluationEvent } from "../../training/events/event.ts";
import type { Manifest } from "../../training/manifest.ts";

export interface CardFacts {
  /** `owner/name`. */
  readonly id: string;
  /** Undefined for a folder that is no run's. */
  readonly manifest: Manifest | undefined;
  /** Whether the folder holds an adapter. */
  readonly isAdapter: boolean;
  /** What an adapter or a run names as its model: a folder, or a name on the hub. */
  readonly base: string | undefined;
  /** Of the training data; undefined where it can't be counted. */
  readonly generationRatio: number | undefined;
  /** Of the weights that are pushed, on the rows held out. */
  readonly heldOut: EvaluationEvent | undefined;
  readonly scores: readonly EvaluationScore[];
}

export function modelCard(facts: CardFacts): string {
  const parts = [intro(facts), training(facts), scoreTable(facts), recipeBlock(facts)];
  return `---\n${stringify(frontMatter(facts))}---\n\n${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function frontMatter({ id, manifest, isAdapter, base, scores }: CardFacts): Record<string, unknown> {
  const onHub = base === undefined ? undefined : hubNameOf(base);
  const datasets = (manifest?.recipe.data ?? []).map(({ path }) => path).filter(isHubId);
  return {
    library_name: isAdapter ? "peft" : "transformers",
    pipeline_tag: "text-generation",
    ...(onHub !== undefined && {
      base_model: onHub.id,
      base_model_relation: isAdapter ? "adapter" : "finetune",
    }),
    ...(datasets.length > 0 && { datasets: [...new Set(datasets)] }),
    tags: ["promptloss", "prompt-loss-weight"],
    ...(scores.length > 0 && { "model-index": [{ name: id.split("/")[1], results: scores.map(resultOf) }] }),
  };
}

function resultOf({ task, metric, value, settings }: EvaluationScore): unknown {
  return {
    task: { type: "text-generation" },
    dataset: { name: task, type: task, split: settings.split, args: { num_few_shot: settings.shots } },
    metrics: [{ type: metric, value }],
  };
}

function intro({ id, manifest, isAdapter, base }: CardFacts): string {
  const from = base === undefined ? "" : ` of ${code(shownModel(base))}`;
  const how =
    manifest === undefined
      ? ""
      : ` It was fine-tuned with the prompt loss weight **${manifest.promptLossWeight}** by promptloss ${manifest.promptloss}.`;
  return `# ${id.split("/")[1]}\n\n${isAdapter ? "An adapter" : "A language model"}${from}.${how}`;
}

function training({ manifest, generationRatio }: CardFacts): string {
  if (manifest === undefined) return "";
  const { recipe, promptLossWeight, normalization, rows, heldOutRows, steps, seed, dataHash } = manifest;
  const data = recipe.data.map(({ path }) => code(isHubId(path) ? path : basename(path)));
  const facts: readonly (readonly [string, string])[] = [
    ["prompt loss weight (PLW)", `${promptLossWeight}`],
    ["normalization", normalization],
    [
      "generation ratio (Rg)",
      generationRatio === undefined ? "not counted" : `${Number(generationRatio.toFixed(3))}`,
    ],
    ["data", data.join(", ")],
    ["rows", heldOutRows > 0 ? `${rows}, and ${heldOutRows} held out` : `${rows}`],
    ["data hash", code(dataHash.slice(0, 16))],
    ["steps", `${steps}`],
    ["seed", `${seed}`],
    ["precision of products", manifest.precision],
  ];
  const lines = facts.map(([name, value]) => `| ${name} | ${cell(value)} |`);
  const meaning =
    "PLW is the weight of the prompt's tokens in the loss; a completion's tokens weigh 1. Rg is the mean length of " +
    "completions over that of prompts, in tokens ([arXiv 2401.13586](https://arxiv.org/abs/2401.13586)).";
  return `## Training\n\n| | |\n|---|---|\n${lines.join("\n")}\n\n${meaning}`;
}

function scoreTable({ heldOut, scores }: CardFacts): string {
  const lines = scores.map(({ task, metric, value, standardError, n, settings }) => {
    const error = standardError === undefined ? "" : standardError.toFixed(4);
    return `| ${cell(task)} | ${cell(metric)} | ${value.toFixed(4)} | ${error} | ${n} | ${settings.shots} |`;
  });
  const table =
    lines.length === 0
      ? ""
      : `| task | metric | score | s.e. | items | shots |\n|---|---|---|---|---|---|\n${lines.join("\n")}`;
  const { completion } = heldOut ?? {};
  const loss =
    completion === undefined
      ? ""
      : `On the rows held out, after step ${heldOut!.step}: loss of the completions ${completion.loss.toFixed(4)}.`;
  const parts = [loss, table].filter((part) => part !== "");
  return parts.length === 0 ? "" : `## Scores\n\n${parts.join("\n\n")}`;
}

function recipeBlock({ manifest }: CardFacts): string {
  if (manifest === undefined) return "";
  const { output: _, ...recipe } = manifest.recipe;
  // A fence longer than any in the recipe's texts.
  const text = stringify(portable(recipe));
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `## Recipe\n\n${fence}yaml\n${text}${fence}`;
}

/** Without this machine's folders. */
function portable(value: unknown): unknown {
  if (typeof value === "string") return shownModel(value);
  if (Array.isArray(value)) return value.map(portable);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, portable(each)]));
}

function shownModel(path: string): string {
  const onHub = hubModelOf(path);
  if (onHub !== undefined) return `${onHub.id}@${onHub.revision}`;
  return isAbsolute(path) ? basename(path) : path;
}

function hubNameOf(base: string): { id: string } | undefined {
  return hubModelOf(base) ?? (isHubId(base) ? { id: base } : undefined);
}

function code(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}

// Text in, text out: a tokenizer, the template of training and a model together.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DType } from "@promptloss/torch";
import { createTemplate, type Template, type TemplateSpec } from "../../data/templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../../data/tokenizer/index.ts";
import { contextLength } from "../../models/config/context-length.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import {
  adapterStorage,
  type CausalLanguageModel,
  hasBlocks,
  loadAdapter,
  loadModel,
  readModelConfig,
  type Storage,
} from "../../models/index.ts";
import { BatchEngine, type BatchEngineOptions } from "../decoding/batch-engine.ts";
import { GenerationError } from "../errors.ts";
import { generate } from "../generate.ts";
import type { GenerateOptions } from "../options.ts";
import type { FinishReason, TokenLogProbability } from "../types.ts";
import { type GenerationDefaults, readGenerationDefaults, withDefaults } from "./generation-config.ts";
import { resolveModelPaths } from "./model-folder.ts";
import { checkPrompt, promptIds, type TextPrompt } from "./prompts.ts";
import { beamStops, SequenceTexts, type TextPiece } from "./sequence-text.ts";
import { specialId, templateStop } from "./template-stop.ts";

export interface TextGenerationOptions
  extends Omit<GenerateOptions, "stopCriterion" | "onTokens" | "stopIds"> {
  /** Strings that end a text, which is cut before them. A special token's name is that token. */
  readonly stop?: string | readonly string[];
  /** Tokens that end a text beside the model's own. */
  readonly stopIds?: Iterable<number>;
  /** Write special tokens out in the text. */
  readonly keepSpecialTokens?: boolean;
  /** Hears of text as it settles; of beams at the end. */
  readonly onText?: (piece: TextPiece) => void | Promise<void>;
}

export interface GeneratedText {
  /** Without stop token, stop string and what follows it. */
  readonly text: string;
  /** All new tokens, those of a stop token or stop string included. */
  readonly ids: Int32Array;
  readonly finishReason: FinishReason;
  /** The stop token's id or the stop string. */
  readonly stopReason?: number | string;
  /** Of beams: the sum of the log-probabilities over length ** lengthPenalty. */
  readonly score?: number;
  /** One for each of `ids`, where asked for. */
  readonly logProbabilities?: readonly TokenLogProbability[];
}

export interface TextResult {
  readonly promptIds: Int32Array;
  /** Of beams the best first. */
  readonly sequences: readonly GeneratedText[];
}

export interface TextGeneratorOptions {
  /** Undefined: the model's own chat template where it has one, else the text as it is. */
  readonly template?: TemplateSpec;
  readonly defaults?: GenerationDefaults;
  readonly notes?: readonly string[];
}

export interface LoadTextGeneratorOptions extends Pick<TextGeneratorOptions, "template"> {
  /** A PEFT folder. */
  readonly adapter?: string;
  /** Of the weights; as the file has them where left out. */
  readonly dtype?: DType;
  readonly device?: string;
  /**
   * How linear weights are kept. Where left out: as an adapter was trained on them; else, where no dtype is asked for, a
   * GGUF file's blocks as they are.
   */
  readonly storage?: Storage;
  /** Refuse a config with keys that are not known here, rather than note them. */
  readonly strict?: boolean;
}

/**
 * A model that continues texts: prompts through its template, sampled tokens back to text.
 * @example
 * ```ts
 * import { TextGenerator } from "promptloss";
 *
 * const generator = await TextGenerator.load("model");
 * const [result] = await generator.generate([{ instruction: "Name a color." }], { maxNewTokens: 8 });
 * console.log(result?.sequences[0]?.text);
 * generator.free();
 * ```
 */
export class TextGenerator {
  readonly model: CausalLanguageModel;
  readonly tokenizer: Tokenizer;
  readonly template: Template;
  /** From generation_config.json, where options say nothing. */
  readonly defaults: GenerationDefaults;
  /** What a user should know. */
  readonly notes: readonly string[];
  /** The running batch that all calls join; undefined where each has its own. */
  #engine: BatchEngine | undefined;
  readonly #stopIds: ReadonlySet<number>;
  readonly #stops: readonly string[];

  constructor(model: CausalLanguageModel, tokenizer: Tokenizer, options: TextGeneratorOptions = {}) {
    const { template, defaults = {}, notes = [] } = options;
    this.model = model;
    this.tokenizer = tokenizer;
    this.template = createTemplate(
      template ?? (tokenizer.chatTemplate === undefined ? "plain" : "tokenizer"),
      tokenizer,
    );
    this.defaults = defaults;
    this.notes = [...notes, ...this.template.warnings];
    const { ids, strings } = this.#stopsOf([templateStop(this.template) ?? ""].filter((stop) => stop !== ""));
    this.#stopIds = new Set([...tokenizer.stopIds, ...ids]);
    this.#stops = strings;
  }

  /**
   * Loads a Hugging Face model folder, an adapter's, or the folder of a training run, whose template it then takes.
   * @throws {ModelError} and its kin, {TokenizerError}, {TemplateError}, {GenerationError} for what can't be used
   */
  static async load(path: string, options: LoadTextGeneratorOptions = {}): Promise<TextGenerator> {
    const { dtype, device, strict = false } = options;
    const paths = resolveModelPaths(path);
    const { architecture } = readModelConfig(paths.model, { strict });
    const tokenizer = await loadTokenizer(paths.tokenizer);
    const { defaults, notes } = readGenerationDefaults(paths.model);
    const template = options.template ?? paths.template;
    // Before the weights, which take their time.
    if (template !== undefined) createTemplate(template, tokenizer);
    const adapterFolder = options.adapter === undefined ? paths.adapter : modelFolder(options.adapter);
    const place = { ...(device !== undefined && { device }) };
    const adapter = adapterFolder === undefined ? undefined : loadAdapter(adapterFolder, architecture, place);
    const trainedOn = adapterFolder === undefined ? undefined : adapterStorage(adapterFolder);
    const ofFile = dtype === undefined && (device ?? "cpu") === "cpu" && hasBlocks(paths.model, architecture);
    const storage = options.storage ?? trainedOn ?? (ofFile ? "as-stored" : undefined);
    const model = loadModel(paths.model, { ...place, ...(dtype !== undefined && { dtype }), storage });
    model.adapter = adapter;
    return new TextGenerator(model, tokenizer, {
      defaults,
      notes: [...notes, ...model.notes],
      ...(template !== undefined && { template }),
    });
  }

  /**
   * What {@link load} gives for an adapter's folder, or a run's, on this generator's weights, which both then share. This
   * one may not have an adapter of its own, and is to be freed last.
   * @param folder an adapter that was trained on this generator's model, with its weights kept in the same way
   */
  async withAdapter(
    folder: string,
    { template }: Pick<TextGeneratorOptions, "template"> = {},
  ): Promise<TextGenerator> {
    const adapter = loadAdapter(folder, this.model.architecture, { device: this.model.device });
    const hasTokenizer = existsSync(join(folder, "tokenizer.json"));
    const tokenizer = hasTokenizer ? await loadTokenizer(folder) : this.tokenizer;
    return new TextGenerator(this.model.sharing(adapter), tokenizer, {
      defaults: this.defaults,
      ...(template !== undefined && { template }),
    });
  }

  /** From now on, calls that overlap join one running batch. */
  shareBatch(options: BatchEngineOptions = {}): BatchEngine {
    this.#engine ??= new BatchEngine(this.model, options);
    return this.#engine;
  }

  /** Tokens that the model reads, prompt and completion together. */
  get contextLength(): number {
    return contextLength(this.model.architecture);
  }

  /** The ids that the model is given for a prompt: those that training puts before its completion. */
  async promptIds(prompt: TextPrompt): Promise<Int32Array> {
    checkPrompt(prompt, 0);
    return Int32Array.from(await promptIds(prompt, this.tokenizer, this.template));
  }

  /**
   * Completes prompts.
   * @throws {GenerationError} for options and prompts that can't be used
   * @throws {TemplateError} for a conversation that the template can't take
   */
  async generate(prompts: readonly TextPrompt[], options: TextGenerationOptions = {}): Promise<TextResult[]> {
    const { stop = [], stopIds = [], keepSpecialTokens, onText, ...rest } = options;
    prompts.forEach(checkPrompt);
    const ids = await Promise.all(
      prompts.map(async (prompt) => Int32Array.from(await promptIds(prompt, this.tokenizer, this.template))),
    );
    const own = this.#stopsOf([stop].flat());
    const stops = [...this.#stops, ...own.strings];
    const ending = new Set([...this.#stopIds, ...own.ids, ...stopIds]);
    const settings = withDefaults(this.defaults, { ...rest, stopIds: ending });
    const textOptions = {
      tokenizer: this.tokenizer,
      prompts: ids,
      stops,
      stopIds: ending,
      onText,
      ...(keepSpecialTokens !== undefined && { keepSpecialTokens }),
    };
    const texts = new SequenceTexts(textOptions);
    const beams = (settings.beams ?? 1) > 1;
    const results = await generate(
      this.model,
      ids,
      {
        ...settings,
        ...(!beams && (onText !== undefined || stops.length > 0) && { onTokens: texts.onTokens }),
        ...(stops.length > 0 && { stopCriterion: beams ? beamStops(textOptions) : texts.stopped }),
      },
      this.#engine,
    );
    const finished: TextResult[] = [];
    for (const [i, sequences] of results.entries()) {
      const done: GeneratedText[] = [];
      for (const [s, sequence] of sequences.entries())
        done.push({ text: await texts.finish(i, s, sequence), ...sequence });
      finished.push({ promptIds: ids[i]!, sequences: done });
    }
    return finished;
  }

  /**
   * Completes one prompt piece by piece; leaving the loop ends the work.
   * @returns what `generate` does
   */
  async *stream(
    prompt: TextPrompt,
    options: TextGenerationOptions = {},
  ): AsyncGenerator<TextPiece, TextResult> {
    const { signal, onText } = options;
    const left = new AbortController();
    const queue: TextPiece[] = [];
    let wake = (): void => {};
    let running = true;
    const work = this.generate([prompt], {
      ...options,
      signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]),
      onText: async (piece) => {
        queue.push(piece);
        wake();
        await onText?.(piece);
      },
    }).finally(() => {
      running = false;
      wake();
    });
    // Awaited below; until then its failure must not count as unhandled.
    work.catch(() => undefined);
    try {
      while (running || queue.length > 0) {
        const piece = queue.shift();
        if (piece !== undefined) yield piece;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      return (await work)[0]!;
    } finally {
      left.abort();
      await work.catch(() => undefined);
    }
  }

  /** Frees the weights. */
  free(): void {
    this.#engine?.free();
    this.model.free();
  }

  [Symbol.dispose](): void {
    this.free();
  }

  /** Stop strings that are a token of their own are looked for as such: they are no part of the text. */
  #stopsOf(stops: readonly string[]): { ids: number[]; strings: string[] } {
    const ids: number[] = [];
    const strings: string[] = [];
    for (const stop of stops) {
      if (typeof stop !== "string" || stop === "")
        throw new GenerationError("stop", `expected a string that is not empty, got ${JSON.stringify(stop)}`);
      const id = specialId(this.tokenizer, stop);
      if (id === undefined) strings.push(stop);
      else ids.push(id);
    }
    return { ids, strings };
  }
}

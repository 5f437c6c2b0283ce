// The models that are served: those that the service was started with, and those of finished jobs, which are loaded when
// they are first asked for. An adapter shares the memory of its base.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BatchEngineOptions, TextGenerator } from "../generation/index.ts";
import { resolveModelPaths } from "../generation/text/model-folder.ts";
import { ADAPTER_CONFIG } from "../models/lora/adapter-config.ts";
import { adapterStorage } from "../models/lora/peft.ts";
import { ServeError } from "./errors.ts";
import type { ServeLimits } from "./limits.ts";

export interface ModelCard {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: "promptloss";
  /** The model that a fine-tuned one came from. */
  readonly root?: string;
}

/** A model that can be trained from. */
export interface BaseModel {
  readonly id: string;
  readonly generator: TextGenerator;
  /** Where its files lie; undefined where no job can train it. */
  readonly folder?: string | undefined;
}

export interface FineTunedModel {
  readonly id: string;
  readonly created: number;
  /** The id of its base. */
  readonly base: string;
  /** The run's folder. */
  readonly run: string;
}

interface Served {
  readonly card: ModelCard;
  readonly base?: BaseModel;
  readonly tuned?: FineTunedModel;
  loaded?: Promise<TextGenerator>;
  /** Requests that work with it. */
  users: number;
  /** Whether it is off the shelf, and freed with its last user. */
  removed?: true;
}

/** A generator that stays until it is given back. */
export interface Lease extends Disposable {
  readonly generator: TextGenerator;
}

export class ModelShelf {
  readonly #served = new Map<string, Served>();

  readonly #batch: BatchEngineOptions;

  /** @param bases their generators stay the caller's to free */
  constructor(
    bases: readonly BaseModel[],
    created: number,
    limits: Pick<ServeLimits, "batch" | "prefixBytes">,
  ) {
    this.#batch = { rows: limits.batch, promptTokens: PROMPT_TOKENS, keptBytes: limits.prefixBytes };
    for (const base of bases) {
      this.#share(base.generator);
      const card: ModelCard = { id: base.id, object: "model", created, owned_by: "promptloss" };
      this.#served.set(base.id, { card, base, loaded: Promise.resolve(base.generator), users: 0 });
    }
  }

  get cards(): ModelCard[] {
    return [...this.#served.values()].map(({ card }) => card);
  }

  /** The models that the service was started with. */
  get bases(): BaseModel[] {
    return [...this.#served.values()].flatMap(({ base }) => base ?? []);
  }

  /** @throws {ServeError} 404 */
  card(id: string): ModelCard {
    return this.#find(id).card;
  }

  /** The base model of an id. @throws {ServeError} 404, 400 for one that can't be trained from */
  base(id: string): BaseModel & { readonly folder: string } {
    const { base } = this.#find(id);
    if (base?.folder === undefined)
      throw new ServeError(400, `model: ${id} can't be trained from`, {
        param: "model",
        code: "model_not_available",
        hint: "name one of the models that the server was started with",
      });
    return { ...base, folder: base.folder };
  }

  add(tuned: FineTunedModel): void {
    const { id, created, base } = tuned;
    this.#served.set(id, {
      card: { id, object: "model", created, owned_by: "promptloss", root: base },
      tuned,
      users: 0,
    });
  }

  /**
   * The generator of a model, loaded where it is not yet.
   * @throws {ServeError} 404
   */
  async lease(id: string): Promise<Lease> {
    const served = this.#find(id);
    served.users++;
    let given = false;
    const release = (): void => {
      if (given) return;
      given = true;
      served.users--;
      freeUnused(served);
    };
    try {
      served.loaded ??= this.#load(served.tuned!);
      return { generator: await served.loaded, [Symbol.dispose]: release };
    } catch (error) {
      delete served.loaded;
      release();
      throw error;
    }
  }

  /** Takes a fine-tuned model off the shelf. @throws {ServeError} 404; 400 for a base */
  remove(id: string): void {
    const served = this.#find(id);
    if (served.tuned === undefined)
      throw new ServeError(400, `model: ${id} is no fine-tuned model`, { param: "model" });
    this.#served.delete(id);
    served.removed = true;
    freeUnused(served);
  }

  /** Frees the fine-tuned models. */
  free(): void {
    for (const { tuned } of [...this.#served.values()]) if (tuned !== undefined) this.remove(tuned.id);
  }

  #find(id: string): Served {
    const found = this.#served.get(id);
    if (found === undefined)
      throw new ServeError(
        404,
        `there is no model ${id} here, but ${[...this.#served.keys()].slice(0, NAMED).join(", ")}`,
        {
          param: "model",
          code: "model_not_found",
        },
      );
    return found;
  }

  #share(generator: TextGenerator): void {
    // Elsewhere products take other kernels, and 64 tokens a step would leave a GPU idle.
    generator.shareBatch({ ...this.#batch, alike: generator.model.device === "cpu" });
  }

  async #load({ base, run }: FineTunedModel): Promise<TextGenerator> {
    const folder = join(run, "model");
    const { generator } = this.#served.get(base)?.base ?? {};
    const { template } = resolveModelPaths(run);
    // Weights in few bits are another model; an adapter on them has its own.
    const shares =
      generator !== undefined &&
      generator.model.adapter === undefined &&
      existsSync(join(folder, ADAPTER_CONFIG)) &&
      adapterStorage(folder) === undefined;
    const loaded = await (shares
      ? generator.withAdapter(folder, template === undefined ? {} : { template })
      : TextGenerator.load(run));
    this.#share(loaded);
    return loaded;
  }
}

function freeUnused({ removed, users, loaded }: Served): void {
  if (removed && users === 0)
    void loaded?.then(
      (generator) => generator.free(),
      () => undefined,
    );
}

/** Tokens of prompts that a step of the running batch reads: the completions that run wait no longer for it. */
const PROMPT_TOKENS = 512;

/** Models that an error names. */
const NAMED = 5;

// The tokenizers that rows may be encoded with: those of models that are served, and those of folders below the studio's.
// Clients name one by its id in this list, never by a path.
import { basename, isAbsolute, join, relative } from "node:path";
import { loadTokenizer, type Tokenizer, TokenizerError } from "../../data/tokenizer/index.ts";
import type { Architecture } from "../../models/config/architecture.ts";
import { contextLength } from "../../models/config/context-length.ts";
import { elementsOf, parameterShapes } from "../../models/config/parameters.ts";
import { readModelConfig } from "../../models/config/read-config.ts";
import { ModelError } from "../../models/errors.ts";
import type { CausalLanguageModel } from "../../models/index.ts";
import { ServeError } from "../../serve/errors.ts";
import type { ModelShelf } from "../../serve/models.ts";
import { below, entriesOf, foldersAmong } from "../folder/entries.ts";
import type { TokenizerEntry } from "./answer.ts";

/** Folders that the list looks into and has, and how deep it looks: models beside runs, and no whole disk. */
const MOST = { visited: 5000, listed: 200, depth: 6, loaded: 4 } as const;

export interface Borrowed extends Disposable {
  readonly tokenizer: Tokenizer;
  /** Undefined for a tokenizer without a model that is served. */
  readonly model: CausalLanguageModel | undefined;
}

export class TokenizerShelf {
  readonly #models: ModelShelf;
  readonly #folder: string;
  /** The last ones used, by path. */
  readonly #loaded = new Map<string, Promise<Tokenizer>>();

  /** @param folder below which model folders are looked for */
  constructor(models: ModelShelf, folder: string) {
    this.#models = models;
    this.#folder = folder;
  }

  /** Served models first. */
  entries(): TokenizerEntry[] {
    return [...this.#served(), ...this.#found().map(({ entry }) => entry)];
  }

  /**
   * A tokenizer until it is given back.
   * @throws {ServeError} 404 for an id that is not in the list, 400 for a folder whose tokenizer can't be read
   */
  async borrow(id: string): Promise<Borrowed> {
    const [kind, name] = splitId(id);
    if (kind === "served" && this.#models.cards.some((card) => card.id === name)) {
      const lease = await this.#models.lease(name);
      return {
        tokenizer: lease.generator.tokenizer,
        model: lease.generator.model,
        [Symbol.dispose]: () => lease[Symbol.dispose](),
      };
    }
    const found = this.#found().find(({ entry }) => entry.id === id);
    if (found === undefined)
      throw new ServeError(404, `tokenizer: there is no ${id} here`, {
        param: "tokenizer",
        code: "tokenizer_not_found",
        hint: "the list of tokenizers has the ids",
      });
    return {
      tokenizer: await this.#load(found.path, name),
      model: undefined,
      [Symbol.dispose]: () => undefined,
    };
  }

  async #load(path: string, name: string): Promise<Tokenizer> {
    const loading = this.#loaded.get(path) ?? loadTokenizer(path);
    // Those that are used last are at the end.
    this.#loaded.delete(path);
    this.#loaded.set(path, loading);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > MOST.loaded) this.#loaded.delete(oldest!);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(path);
      if (!(error instanceof TokenizerError)) throw error;
      throw new ServeError(400, `tokenizer: ${error.message.replaceAll(path, () => name)}`, {
        param: "tokenizer",
        hint: error.hint?.replaceAll(path, () => name),
        cause: error,
      });
    }
  }

  #served(): TokenizerEntry[] {
    const bases = new Map(this.#models.bases.map((base) => [base.id, base]));
    return this.#models.cards.map(({ id }) => {
      const base = bases.get(id);
      return {
        id: `served:${id}`,
        name: id,
        kind: "served",
        ...(base && factsOf(base.generator.model.architecture)),
        path: base?.folder === undefined ? id : shownPath(base.folder),
        ...(base?.folder !== undefined && { trains: id }),
        measures: base?.generator.model.architecture.encoder === undefined,
      };
    });
  }

  #found(): FoundFolder[] {
    return tokenizerFolders(this.#folder).map((name) => {
      const path = join(this.#folder, name);
      const id = `folder:${name}`;
      return {
        path,
        entry: { id, name, kind: "folder", ...configFacts(path), path: shownPath(path), measures: false },
      };
    });
  }
}

interface FoundFolder {
  readonly entry: TokenizerEntry;
  readonly path: string;
}

type ModelFacts = Pick<TokenizerEntry, "positions" | "parameters" | "encoder">;

function factsOf(architecture: Architecture): ModelFacts {
  return {
    positions: contextLength(architecture),
    parameters: elementsOf(parameterShapes(architecture).values()),
    ...(architecture.encoder !== undefined && { encoder: true }),
  };
}

/** None where the folder has a tokenizer alone, or a model that can't be read. */
function configFacts(path: string): ModelFacts {
  try {
    return factsOf(readModelConfig(path).architecture);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return {};
  }
}

function splitId(id: string): [kind: string, name: string] {
  const colon = id.indexOf(":");
  return [id.slice(0, colon), id.slice(colon + 1)];
}

/** A path from the folder that the command was started in where it is below it, otherwise the folder's name. */
function shownPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === "" || below.startsWith("..") || isAbsolute(below) ? basename(path) : below;
}

/** Paths below a folder of folders with a tokenizer. */
function tokenizerFolders(root: string): string[] {
  const found: string[] = [];
  const queue = [{ name: "", depth: 0 }];
  for (const [visited, { name, depth }] of queue.entries()) {
    if (visited >= MOST.visited || found.length >= MOST.listed) break;
    const entries = entriesOf(join(root, name));
    if (entries.some((entry) => entry.isFile() && entry.name === "tokenizer.json") && name !== "") {
      found.push(name);
      continue;
    }
    if (depth >= MOST.depth) continue;
    for (const each of foldersAmong(entries)) queue.push({ name: below(name, each), depth: depth + 1 });
  }
  return found.sort();
}

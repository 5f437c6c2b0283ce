// What can be wrong with a model folder, an adapter, or what is asked of a model.
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** The base of all errors about models. */
export class ModelError extends PromptlossError {}

/** A value in config.json that is missing, malformed or not supported. */
export class ModelConfigError extends ModelError {
  readonly path: string;
  /** "rope_scaling.factor"; undefined where no single key is to blame. */
  readonly key: string | undefined;
  readonly value: unknown;

  constructor(
    message: string,
    fields: { path: string; key?: string; value?: unknown },
    options: PromptlossErrorOptions = {},
  ) {
    super(`${fields.path}: ${fields.key === undefined ? "" : `${fields.key}: `}${message}`, options);
    this.path = fields.path;
    this.key = fields.key;
    this.value = fields.value;
  }
}

/** Weights that do not fit the config: missing, not expected, or of another shape. */
export class ModelWeightsError extends ModelError {
  readonly path: string;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** Each as "name: [2, 3], expected [3, 3]". */
  readonly mismatched: readonly string[];

  constructor(
    path: string,
    problems: {
      missing?: readonly string[];
      unexpected?: readonly string[];
      mismatched?: readonly string[];
    },
    options: PromptlossErrorOptions = {},
  ) {
    const { missing = [], unexpected = [], mismatched = [] } = problems;
    const parts = [
      describe("missing", missing),
      describe("not in the model", unexpected),
      describe("of another shape", mismatched),
    ];
    super(
      `${path}: weights do not fit the config: ${parts.filter((part) => part !== "").join("; ")}`,
      options,
    );
    this.path = path;
    this.missing = missing;
    this.unexpected = unexpected;
    this.mismatched = mismatched;
  }
}

/** How many names a message lists; the fields hold all. */
const LISTED = 8;

function describe(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : "";
  return `${what}: ${names.slice(0, LISTED).join(", ")}${more}`;
}

/** What a model's numbers that are none mean, wherever they are met. */
export function notFinite(what: string): ModelError {
  return new ModelError(`${what} are not finite numbers`, {
    hint: "its weights may be damaged, or too large for 16 bits: try float32",
  });
}

/** Input that the model can't take: ids out of range, sequences too long, borders that do not add up. */
export class ModelInputError extends ModelError {}

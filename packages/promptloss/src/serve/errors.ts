// Errors of the server, and every error as the body that OpenAI's clients expect: { error: { message, type, param,
// code } } with a fitting status.
import { TemplateError } from "../data/templates/index.ts";
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";
import { GenerationError } from "../generation/index.ts";
import { ModelInputError } from "../models/errors.ts";

/** Statuses that the server answers with when something is wrong. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 499 | 500 | 503 | 504;

export interface ServeErrorOptions extends PromptlossErrorOptions {
  /** The request's field at fault. */
  readonly param?: string | undefined;
  /** For programs: `model_not_found`. */
  readonly code?: string | undefined;
}

export class ServeError extends PromptlossError {
  readonly status: ErrorStatus;
  readonly param: string | undefined;
  readonly code: string | undefined;

  constructor(status: ErrorStatus, message: string, options: ServeErrorOptions = {}) {
    super(message, options);
    this.status = status;
    this.param = options.param;
    this.code = options.code;
  }
}

/** A field that asks for what can't be done. */
export function refusedField(param: string, message: string): ServeError {
  return new ServeError(400, `${param}: ${message}`, { param });
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** The library's options under the names that requests have for them. */
const PARAMS: Readonly<Record<string, string>> = {
  maxNewTokens: "max_tokens",
  minNewTokens: "min_tokens",
  temperature: "temperature",
  topK: "top_k",
  topP: "top_p",
  repetitionPenalty: "repetition_penalty",
  logProbabilities: "logprobs",
  sequences: "n",
  prompts: "prompt",
};

const NAMES = new RegExp(`\\b(${Object.keys(PARAMS).join("|")})\\b`, "g");

/** Any error as the server's own: what the request is to blame for is a 400, all else a 500 without its details. */
export function asServeError(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  if (error instanceof GenerationError) {
    const message = error.message.replace(/^prompts: /, "").replaceAll(NAMES, (name) => PARAMS[name]!);
    const param = PARAMS[error.field] ?? error.field;
    return new ServeError(400, message, { param, hint: error.hint, cause: error });
  }
  if (error instanceof TemplateError)
    return new ServeError(400, error.message, { param: "messages", hint: error.hint, cause: error });
  if (error instanceof ModelInputError)
    return new ServeError(400, error.message, { param: "prompt", hint: error.hint, cause: error });
  return new ServeError(500, "the server failed to answer; its log says why", { cause: error });
}

const TYPES: Readonly<Partial<Record<ErrorStatus, string>>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "overloaded_error",
  504: "timeout_error",
};

export function errorBody({ status, message, hint, param, code }: ServeError): ErrorBody {
  return {
    error: {
      message: hint === undefined ? message : `${message}. Hint: ${hint}`,
      type: TYPES[status] ?? "invalid_request_error",
      param: param ?? null,
      code: code ?? null,
    },
  };
}

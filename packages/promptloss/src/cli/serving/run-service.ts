// A service over HTTP until a signal ends it: the models that are named, and what else is part of its app.
import { basename, resolve } from "node:path";
import { PromptlossError } from "../../errors.ts";
import { resolveModelPaths } from "../../generation/text/model-folder.ts";
import { checkBinding } from "../../serve/access.ts";
import { type AppPart, type BaseModel, type ServeLimits, serveModels } from "../../serve/index.ts";
import { errorLines } from "../errors.ts";
import { loadGenerator } from "../generation/load-generator.ts";
import type { ServingFlags } from "./options.ts";

export interface Service {
  /** Paths of models. */
  readonly models: readonly string[];
  readonly part?: AppPart;
  /** The line that is printed once clients can come. `url` is that of OpenAI's API, `ids` are the models'. */
  readonly greeting: (url: string, ids: readonly string[]) => string;
}

export async function runService(service: Service, flags: ServingFlags): Promise<void> {
  const { models: paths } = service;
  const apiKey = keyOf(flags);
  // Before the models, which take their time.
  checkBinding(flags.host, apiKey);
  checkModelFlags(paths.length, flags);
  const bases: BaseModel[] = [];
  try {
    for (const path of paths) bases.push(await baseOf(path, flags));
    await serveBases(bases, service, flags, apiKey);
  } finally {
    for (const { generator } of bases) generator.free();
  }
}

const OF_ONE_MODEL = ["name", "adapter"] as const;
const OF_MODELS = ["template", "dtype", "storage", "device", "threads", "strict"] as const;

/** @throws {PromptlossError} for an option that no model would follow, or only one of several */
function checkModelFlags(models: number, flags: ServingFlags): void {
  for (const flag of OF_ONE_MODEL)
    if (models !== 1 && flags[flag] !== undefined)
      throw new PromptlossError(`--${flag} is for one model, and there are ${models}`, {
        hint: "leave it out, or serve one model",
      });
  for (const flag of OF_MODELS)
    if (models === 0 && flags[flag] !== undefined)
      throw new PromptlossError(`--${flag} is for models, and none is named`, {
        hint: "name one, or leave it out",
      });
}

async function baseOf(path: string, flags: ServingFlags): Promise<BaseModel> {
  const generator = await loadGenerator(path, flags);
  const { model, adapter } = resolveModelPaths(path);
  return {
    id: flags.name ?? basename(resolve(path)),
    generator,
    // A job trains from weights as they are, without an adapter.
    folder: adapter === undefined && flags.adapter === undefined ? resolve(model) : undefined,
  };
}

async function serveBases(
  bases: readonly BaseModel[],
  { part, greeting }: Service,
  flags: ServingFlags,
  apiKey: string | undefined,
): Promise<void> {
  const server = await serveModels(bases, {
    host: flags.host,
    port: flags.port,
    limits: limitsOf(flags),
    ...(part !== undefined && { part }),
    ...(flags.jobs !== undefined && { jobs: resolve(flags.jobs) }),
    ...(apiKey !== undefined && { apiKey }),
    ...(flags.allowHost !== undefined && { allowedHosts: flags.allowHost }),
    onError: (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(errorLines(text));
    },
  });
  const signal = nextSignal();
  const ids = bases.map(({ id }) => id);
  process.stdout.write(`${greeting(server.url, ids)}\n`);
  await signal;
  void nextSignal().then((code) => process.exit(code));
  await server.close(flags.grace);
}

function limitsOf(flags: ServingFlags): ServeLimits {
  return {
    bodyBytes: flags.maxBody,
    tokens: flags.maxNewTokens,
    completions: flags.maxCompletions,
    running: flags.maxRunning,
    batch: flags.batch,
    waiting: flags.maxWaiting,
    prefixBytes: flags.prefixCache,
    seconds: flags.maxSeconds,
    fileBytes: flags.maxFile,
    files: flags.maxFiles,
    diskBytes: flags.maxDisk,
    jobs: flags.maxJobs,
    training: flags.training,
    jobSeconds: flags.maxJobSeconds,
  };
}

function keyOf({ apiKey, apiKeyEnv: variable }: ServingFlags): string | undefined {
  if (apiKey !== undefined && variable !== undefined)
    throw new PromptlossError("--api-key and --api-key-env name two keys", { hint: "give one of them" });
  if (variable === undefined) return apiKey;
  const key = process.env[variable];
  if (!key)
    throw new PromptlossError(`--api-key-env: ${variable} is not set`, {
      hint: `export ${variable}=... before`,
    });
  return key;
}

/** Exit codes are those that a shell gives for the signal. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

function nextSignal(): Promise<number> {
  return new Promise((resolve) => {
    const listeners = Object.entries(SIGNALS).map(([name, code]) => {
      const heard = (): void => {
        for (const [other, listener] of listeners) process.off(other, listener);
        resolve(code);
      };
      process.on(name, heard);
      return [name, heard] as const;
    });
  });
}

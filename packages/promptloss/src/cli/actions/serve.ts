// `promptloss serve`: a model over HTTP, as OpenAI's API, until a signal ends it.
import { basename, resolve } from "node:path";
import { PromptlossError } from "../../errors.ts";
import { resolveModelPaths } from "../../generation/text/model-folder.ts";
import { checkBinding } from "../../serve/access.ts";
import { type BaseModel, type ServeLimits, serveModels } from "../../serve/index.ts";
import { errorLines } from "../errors.ts";
import { loadGenerator } from "../generation/load-generator.ts";
import type { ModelFlags } from "../generation/options.ts";

interface Flags extends ModelFlags {
  host: string;
  port: number;
  name?: string;
  apiKey?: string;
  apiKeyEnv?: string;
  allowHost?: string[];
  maxBody: number;
  maxNewTokens: number;
  maxCompletions: number;
  maxRunning: number;
  batch: number;
  maxWaiting: number;
  prefixCache: number;
  maxSeconds: number;
  jobs?: string;
  maxFile: number;
  maxFiles: number;
  maxDisk: number;
  maxJobs: number;
  training: number;
  maxJobSeconds: number;
  grace: number;
}

export async function serve(paths: readonly string[], flags: Flags): Promise<void> {
  const apiKey = keyOf(flags);
  // Before the models, which take their time.
  checkBinding(flags.host, apiKey);
  for (const flag of ["name", "adapter"] as const)
    if (paths.length > 1 && flags[flag] !== undefined)
      throw new PromptlossError(`--${flag} is for one model, and there are ${paths.length}`, {
        hint: "leave it out, or serve one model",
      });
  const bases: BaseModel[] = [];
  try {
    for (const path of paths) bases.push(await baseOf(path, flags));
    await serveBases(bases, flags, apiKey);
  } finally {
    for (const { generator } of bases) generator.free();
  }
}

async function baseOf(path: string, flags: Flags): Promise<BaseModel> {
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
  flags: Flags,
  apiKey: string | undefined,
): Promise<void> {
  const server = await serveModels(bases, {
    host: flags.host,
    port: flags.port,
    limits: limitsOf(flags),
    ...(flags.jobs !== undefined && { jobs: resolve(flags.jobs) }),
    ...(apiKey !== undefined && { apiKey }),
    ...(flags.allowHost !== undefined && { allowedHosts: flags.allowHost }),
    onError: (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(errorLines(text));
    },
  });
  const signal = nextSignal();
  process.stdout.write(`${bases.map(({ id }) => id).join(", ")} at ${server.url}\n`);
  await signal;
  void nextSignal().then((code) => process.exit(code));
  await server.close(flags.grace);
}

function limitsOf(flags: Flags): ServeLimits {
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

function keyOf({ apiKey, apiKeyEnv: variable }: Flags): string | undefined {
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

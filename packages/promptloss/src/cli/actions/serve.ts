// `promptloss serve`: a model over HTTP, as OpenAI's API, until a signal ends it.
import { basename, resolve } from "node:path";
import { PromptlossError } from "../../errors.ts";
import { checkBinding } from "../../serve/access.ts";
import { serveModel } from "../../serve/index.ts";
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
  maxWaiting: number;
  maxSeconds: number;
  grace: number;
}

export async function serve(path: string, flags: Flags): Promise<void> {
  const apiKey = keyOf(flags);
  // Before the model, which takes its time.
  checkBinding(flags.host, apiKey);
  using generator = await loadGenerator(path, flags);
  const name = flags.name ?? basename(resolve(path));
  const { maxBody, maxNewTokens, maxCompletions, maxWaiting, maxSeconds } = flags;
  const server = await serveModel(generator, {
    model: name,
    host: flags.host,
    port: flags.port,
    limits: {
      bodyBytes: maxBody,
      tokens: maxNewTokens,
      completions: maxCompletions,
      waiting: maxWaiting,
      seconds: maxSeconds,
    },
    ...(apiKey !== undefined && { apiKey }),
    ...(flags.allowHost !== undefined && { allowedHosts: flags.allowHost }),
    onError: (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(errorLines(text));
    },
  });
  const signal = nextSignal();
  process.stdout.write(`${name} at ${server.url}\n`);
  await signal;
  void nextSignal().then((code) => process.exit(code));
  await server.close(flags.grace);
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

// `promptloss serve`: a model over HTTP, as OpenAI's API, until a signal ends it.
import { basename, resolve } from "node:path";
import { PromptlossError } from "../../errors.ts";
import { serveModel } from "../../serve/index.ts";
import { errorLines } from "../errors.ts";
import { loadGenerator } from "../generation/load-generator.ts";
import type { ModelFlags } from "../generation/options.ts";
import { printNotes } from "../notes.ts";

interface Flags extends ModelFlags {
  host: string;
  port: number;
  name?: string;
  apiKeyEnv?: string;
  allowHost?: string[];
  maxBody: number;
  maxNewTokens: number;
  maxCompletions: number;
  maxWaiting: number;
  maxSeconds: number;
  grace: number;
}

const LOCAL = new Set(["127.0.0.1", "::1", "localhost"]);

export async function serve(path: string, flags: Flags): Promise<void> {
  const apiKey = keyOf(flags.apiKeyEnv);
  if (!LOCAL.has(flags.host) && apiKey === undefined)
    printNotes([`${flags.host} is open to other machines, and no key is asked for (--api-key-env)`]);
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

function keyOf(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
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

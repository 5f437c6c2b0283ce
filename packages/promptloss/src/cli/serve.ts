// `promptloss serve`: a model over HTTP, as OpenAI's API, until a signal ends it.
import { basename, resolve } from "node:path";
import { Command } from "commander";
import { PromptlossError } from "../errors.ts";
import { DEFAULT_LIMITS, serveModel } from "../serve/index.ts";
import { ink } from "../terminal/index.ts";
import { addModelOptions, loadGenerator, type ModelFlags } from "./generation/options.ts";
import { positiveCount, wholeNumber } from "./options.ts";

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

export function serveCommand(): Command {
  const { bodyBytes, tokens, completions, waiting, seconds } = DEFAULT_LIMITS;
  const command = new Command("serve")
    .description("serve a model over HTTP as OpenAI's API: completions and chat, streams too")
    .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
    .option("--host <address>", "where to listen; 0.0.0.0 is open to all machines", "127.0.0.1")
    .option("--port <number>", "0 takes a free one", wholeNumber, 8000)
    .option("--name <id>", "the model's id in requests; the folder's name when left out")
    .option("--api-key-env <name>", "clients must send the key of this environment variable")
    .option("--allow-host <names>", "names that clients may call this server by, with commas", hostNames)
    .option("--max-body <bytes>", "of a request", positiveCount, bodyBytes)
    .option("--max-new-tokens <count>", "new tokens of a completion at most", positiveCount, tokens)
    .option("--max-completions <count>", "prompts times n of a request", positiveCount, completions)
    .option("--max-waiting <count>", "requests that wait while another runs", wholeNumber, waiting)
    .option("--max-seconds <count>", "from a request to its last token", positiveCount, seconds)
    .option("--grace <seconds>", "for responses at work when a signal ends the server", wholeNumber, 10);
  return addModelOptions(command)
    .addHelpText("after", "\nSIGTERM and Ctrl-C end the server; a second one ends it at once.")
    .action(serve);
}

async function serve(path: string, flags: Flags): Promise<void> {
  const apiKey = keyOf(flags.apiKeyEnv);
  if (!LOCAL.has(flags.host) && apiKey === undefined)
    process.stderr.write(
      `${ink.yellow("!")} ${flags.host} is open to other machines, and no key is asked for (--api-key-env)\n`,
    );
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
      process.stderr.write(`${ink.red("error:")} ${text}\n`);
    },
  });
  const signal = nextSignal();
  process.stdout.write(`${name} at ${server.url}\n`);
  await signal;
  void nextSignal().then((code) => process.exit(code));
  await server.close(flags.grace);
}

function hostNames(text: string): string[] {
  return text.split(",").map((name) => name.trim());
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

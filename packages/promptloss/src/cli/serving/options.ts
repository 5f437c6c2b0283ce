// The options of commands that serve: where they listen, whom they let in, how much they do at once.
import type { Command } from "commander";
import { DEFAULT_LIMITS } from "../../serve/limits.ts";
import { addModelOptions, type ModelFlags } from "../generation/options.ts";
import { positiveCount, wholeNumber } from "../options.ts";

export interface ServingFlags extends ModelFlags {
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

function hostNames(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

export function addServingOptions(command: Command): Command {
  const { bodyBytes, tokens, completions, running, batch, waiting, seconds, prefixBytes } = DEFAULT_LIMITS;
  const { fileBytes, files, diskBytes, jobs, training, jobSeconds } = DEFAULT_LIMITS;
  return addModelOptions(
    command
      .option(
        "--host <address>",
        "the address to listen on; 0.0.0.0 lets other machines in, and needs a key",
        "127.0.0.1",
      )
      .option("--port <number>", "0 takes a free one", wholeNumber, 8000)
      .option("--name <id>", "the id of the one model in requests (default: the folder's name)")
      .option("--api-key <key>", "ask clients for this key; other users of this machine can see it here")
      .option("--api-key-env <name>", "ask clients for the key in this environment variable")
      .option(
        "--allow-host <names>",
        "host names that clients may use for this server, separated by commas",
        hostNames,
      )
      .option("--max-body <bytes>", "the most bytes of a request", positiveCount, bodyBytes)
      .option("--max-new-tokens <count>", "the most new tokens of a completion", positiveCount, tokens)
      .option(
        "--max-completions <count>",
        "the most completions of a request: prompts times n",
        positiveCount,
        completions,
      )
      .option("--max-running <count>", "the most requests that run at once", positiveCount, running)
      .option("--batch <count>", "the most completions that are computed together", positiveCount, batch)
      .option("--max-waiting <count>", "the most requests that wait for others", wholeNumber, waiting)
      .option(
        "--prefix-cache <bytes>",
        "memory per model for beginnings that prompts share",
        wholeNumber,
        prefixBytes,
      )
      .option(
        "--max-seconds <count>",
        "the most seconds from a request to its last token",
        positiveCount,
        seconds,
      )
      .option("--jobs <folder>", "take files and fine-tuning jobs, and keep them in this folder")
      .option("--max-file <bytes>", "the most bytes of an uploaded file", positiveCount, fileBytes)
      .option("--max-files <count>", "the most uploaded files", positiveCount, files)
      .option("--max-disk <bytes>", "the most bytes of files and jobs together", positiveCount, diskBytes)
      .option("--max-jobs <count>", "the most jobs that wait for others", wholeNumber, jobs)
      .option("--training <count>", "jobs that train at once", positiveCount, training)
      .option("--max-job-seconds <count>", "the most seconds that a job trains", positiveCount, jobSeconds)
      .option(
        "--grace <seconds>",
        "seconds for running responses when a signal stops the server",
        wholeNumber,
        10,
      ),
  ).addHelpText("after", "\nSIGTERM and Ctrl-C end the server; a second one ends it at once.");
}

// A judge by its settings: behind an endpoint, or a model's folder.
import { TextGenerator } from "../../generation/index.ts";
import { endpointJudge } from "./endpoint-judge.ts";
import { JudgeError } from "./errors.ts";
import type { Judge } from "./judge.ts";
import type { JudgeSettings } from "./judge-settings.ts";
import { modelJudge } from "./model-judge.ts";

export interface OpenedJudge {
  readonly judge: Judge;
  /** What a user should know of a model that judges. */
  readonly notes: readonly string[];
  /** Frees a model's weights. */
  free(): void;
}

/** @throws {JudgeError} for an endpoint that can't be used, {ModelError} and its kin for such a folder */
export async function openJudge(settings: JudgeSettings): Promise<OpenedJudge> {
  const { endpoint, folder, apiKeyEnv, timeout } = settings;
  if (endpoint !== undefined) {
    const { model, concurrency, requestsPerMinute, retries, body } = settings;
    const apiKey = apiKeyEnv === undefined ? undefined : keyOf(apiKeyEnv);
    const given = { model, apiKey, concurrency, requestsPerMinute, retries, timeoutSeconds: timeout, body };
    return {
      judge: await endpointJudge({ endpoint, ...defined(given) }),
      notes: [],
      free: () => undefined,
    };
  }
  if (folder === undefined) throw new JudgeError("a judge is an endpoint or a folder");
  const { adapter, template, dtype, storage, device, strict, batchSize } = settings;
  const generator = await TextGenerator.load(
    folder,
    defined({ adapter, template, dtype, storage, device, strict }),
  );
  return {
    notes: generator.notes,
    judge: modelJudge(generator, { folder, ...defined({ adapter, batchSize }) }),
    free: () => generator.free(),
  };
}

/** Without what is undefined. */
function defined<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

function keyOf(variable: string): string {
  const key = process.env[variable];
  if (!key)
    throw new JudgeError(`the environment variable ${variable}, for the endpoint's key, is not set`, {
      hint: `export ${variable}=... before`,
    });
  return key;
}

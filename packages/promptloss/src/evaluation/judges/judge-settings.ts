// A judge by its settings, as flags and study files give them: behind an endpoint, or a model's folder. Pure.
import type { WeightDtype } from "../../dtypes.ts";
import type { Storage } from "../../models/config/storage.ts";

export interface JudgeSettings {
  /** An OpenAI-compatible address, such as http://127.0.0.1:8000/v1. */
  readonly endpoint?: string | undefined;
  /** The endpoint's; its only one where left out. */
  readonly model?: string | undefined;
  /** The environment variable that holds the endpoint's key. */
  readonly apiKeyEnv?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly retries?: number | undefined;
  /** Seconds of one try. */
  readonly timeout?: number | undefined;
  /** More fields of its requests. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  /** A model that runs here. */
  readonly folder?: string | undefined;
  readonly adapter?: string | undefined;
  readonly template?: string | undefined;
  readonly batchSize?: number | undefined;
  readonly dtype?: WeightDtype | undefined;
  /** How the model's linear weights are kept. */
  readonly storage?: Storage | undefined;
  readonly device?: string | undefined;
  /** Refuse a model whose config has keys that are not known here, rather than note them. */
  readonly strict?: boolean | undefined;
}

export type JudgeKind = "endpoint" | "folder";

/** The kind of judge that a key belongs to. */
const KIND_OF: Readonly<Record<keyof JudgeSettings, JudgeKind>> = {
  endpoint: "endpoint",
  model: "endpoint",
  apiKeyEnv: "endpoint",
  concurrency: "endpoint",
  requestsPerMinute: "endpoint",
  retries: "endpoint",
  timeout: "endpoint",
  body: "endpoint",
  folder: "folder",
  adapter: "folder",
  template: "folder",
  batchSize: "folder",
  dtype: "folder",
  storage: "folder",
  device: "folder",
  strict: "folder",
};

/** Undefined for settings that name none or both. */
export function judgeKind({ endpoint, folder }: JudgeSettings): JudgeKind | undefined {
  if ((endpoint === undefined) === (folder === undefined)) return undefined;
  return endpoint === undefined ? "folder" : "endpoint";
}

/** Keys that are given and belong to the other kind of judge. */
export function strayKeys(settings: JudgeSettings): { key: keyof JudgeSettings; needs: JudgeKind }[] {
  const kind = judgeKind(settings);
  return (Object.keys(KIND_OF) as (keyof JudgeSettings)[])
    .filter((key) => settings[key] !== undefined && KIND_OF[key] !== kind)
    .map((key) => ({ key, needs: KIND_OF[key] }));
}

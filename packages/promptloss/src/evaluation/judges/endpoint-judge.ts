// A judge behind any OpenAI-compatible endpoint. The client is loaded with the first such judge: most evaluations have
// none.
import type { Judge } from "./judge.ts";

export interface EndpointJudgeOptions {
  /** `http://127.0.0.1:8000/v1` */
  readonly endpoint: string;
  /** The only one that the endpoint has, where left out. */
  readonly model?: string;
  /** A secret: it is in no error, no cache and no identity. */
  readonly apiKey?: string;
  /** Requests at once; 4 where left out. */
  readonly concurrency?: number;
  /** Evenly spaced; no limit where left out. Retries are not counted. */
  readonly requestsPerMinute?: number;
  /** After the first try; 5 where left out. */
  readonly retries?: number;
  /** Of one try; 120 where left out. */
  readonly timeoutSeconds?: number;
  /** More fields for the request's body, such as { repetition_penalty: 1.2 }. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** @throws {JudgeError} where the endpoint can't be reached, or has several models and none is named */
export async function endpointJudge(options: EndpointJudgeOptions): Promise<Judge> {
  const { openaiJudge } = await import("./openai-judge.ts");
  return openaiJudge(options);
}

// `promptloss serve`: models over HTTP, as OpenAI's API.
import type { ServingFlags } from "../serving/options.ts";
import { runService } from "../serving/run-service.ts";

export async function serve(models: readonly string[], flags: ServingFlags): Promise<void> {
  await runService({ models, greeting: (url, ids) => `${ids.join(", ")} at ${url}` }, flags);
}

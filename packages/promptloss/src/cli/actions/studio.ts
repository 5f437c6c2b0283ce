// `promptloss studio`: a page over a folder of runs and studies, in the service of `promptloss serve`.
import { studioPart } from "../../studio/index.ts";
import type { ServingFlags } from "../serving/options.ts";
import { runService } from "../serving/run-service.ts";

export async function studio(folder: string, models: readonly string[], flags: ServingFlags): Promise<void> {
  const part = studioPart(folder);
  await runService({ models, part, greeting: (url) => `studio at ${new URL("/studio/", url)}` }, flags);
}

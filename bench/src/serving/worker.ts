// Our side of the benchmark of serving: one running batch that all clients join.
import { getNumThreads, libtorch, setNumThreads } from "@promptloss/torch";
import { loadModel } from "promptloss";
import { BatchEngine, generate } from "promptloss/generation";
import type { CausalLanguageModel } from "promptloss/models";
import { serve } from "../lib/peer.ts";
import type { Round, RoundAnswer } from "./protocol.ts";

let model: CausalLanguageModel | undefined;
let engine: BatchEngine | undefined;

async function round({ prompts, tokens }: Round): Promise<RoundAnswer> {
  const start = performance.now();
  const ids = await Promise.all(
    prompts.map(async (requests) => {
      let first: number[] | undefined;
      for (const prompt of requests) {
        const [sequences] = await generate(model!, [prompt], { maxNewTokens: tokens }, engine);
        first ??= [...sequences![0]!.ids];
      }
      return first!;
    }),
  );
  return { seconds: (performance.now() - start) / 1000, ids };
}

await serve((request) => {
  const { folder, threads } = request as { folder?: string; threads?: number };
  if (folder === undefined) return round(request as unknown as Round);
  setNumThreads(threads!);
  model = loadModel(folder);
  engine = new BatchEngine(model, { alike: true });
  return { version: libtorch().version, threads: getNumThreads(), keptIn: model.keptIn };
});

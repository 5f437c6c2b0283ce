// Our side of the benchmark of generation.
import { getNumThreads, libtorch, setNumThreads } from "@promptloss/torch";
import { loadModel } from "promptloss";
import { generate } from "promptloss/generation";
import type { CausalLanguageModel } from "promptloss/models";
import { serve } from "../lib/peer.ts";

interface Request {
  threads?: number;
  folder: string;
  prompt: number[];
  dtype?: "float32" | "bfloat16";
  batch: number;
  tokens: number;
}

const models = new Map<string, CausalLanguageModel>();

await serve(async (request) => {
  const { threads, folder, prompt, dtype, batch, tokens } = request as unknown as Request;
  if (threads !== undefined) setNumThreads(threads);
  if (dtype === undefined) return { version: libtorch().version, threads: getNumThreads() };
  const model = models.get(dtype) ?? loadModel(folder, { dtype });
  models.set(dtype, model);
  const start = performance.now();
  const prompts = Array.from({ length: batch }, () => prompt);
  const results = await generate(model, prompts, { maxNewTokens: tokens });
  return { seconds: (performance.now() - start) / 1000, ids: [...results[0]![0]!.ids] };
});

// Our side of generation from a GGUF file: loads it on the first request, and answers with times.
import { setNumThreads } from "@promptloss/torch";
import { loadModel } from "promptloss";
import { generate } from "promptloss/generation";
import { type CausalLanguageModel, modelFolder } from "promptloss/models";
import { serve } from "../lib/peer.ts";

let model: CausalLanguageModel | undefined;

await serve(async (request) => {
  const { file, threads, prompt, tokens } = request as {
    file?: string;
    threads: number;
    prompt: number[];
    tokens: number;
  };
  const start = performance.now();
  const before = process.cpuUsage();
  const spent = (): { seconds: number; processorSeconds: number } => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1000, processorSeconds: (user + system) / 1e6 };
  };
  if (file !== undefined) {
    setNumThreads(threads);
    model = loadModel(modelFolder(file), { storage: "as-stored" });
    return { ...spent(), keptIn: model.keptIn };
  }
  const [sequences] = await generate(model!, [prompt], { maxNewTokens: tokens });
  return { ...spent(), ids: [...sequences![0]!.ids] };
});

// A LLaMA of TinyLlama's size, 1.1 B parameters, with random weights, fine-tuned with LoRA in bf16 for a few steps:
// `npm run bench:large -- ALPACA_JSON TOKENIZER_FOLDER`. Says what memory it took, and how fast it went.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { checkRecipe, runTraining, saveModel } from "promptloss";
import { createModel, parseModelConfig } from "promptloss/models";
import { peakMemory, type StepEvent } from "promptloss/training";
import { beginMeasuring } from "../lib/conditions.ts";
import { machine, writeSection } from "../lib/report.ts";
import { sectionOf } from "./section.ts";

const STEPS = 4;

/** TinyLlama 1.1B's. */
const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  vocab_size: 32000,
  torch_dtype: "bfloat16",
};

beginMeasuring();
const [data, tokenizer] = process.argv.slice(2);
if (data === undefined || tokenizer === undefined)
  throw new Error("npm run bench:large -- ALPACA_JSON TOKENIZER_FOLDER");

const place = mkdtempSync(join(tmpdir(), "promptloss-large-"));
try {
  const model = createModel(parseModelConfig(CONFIG), { seed: 1, dtype: "bfloat16", trainable: false });
  const folder = join(place, "model");
  saveModel(model, folder, { companions: tokenizer });
  model.free();
  const recipe = checkRecipe(
    {
      model: folder,
      data: { path: data, limit: 64 },
      output: join(place, "run"),
      maxLength: 512,
      overflow: "truncate-prompt",
      emptyCompletions: "keep",
      loss: { promptLossWeight: 0.1 },
      lora: { rank: 16 },
      training: {
        steps: STEPS,
        batchSize: 8,
        microBatchTokens: 1024,
        learningRate: 1e-4,
        precision: "bfloat16",
        gradientCheckpointing: true,
        logEvery: 1,
      },
      checkpoints: { every: "never" },
    },
    "bench",
  );
  const steps: StepEvent[] = [];
  const { manifest } = await runTraining(recipe, {
    onEvent: (event) => {
      if (event.type !== "step") return;
      steps.push(event);
      console.log(`step ${event.step}: loss ${event.loss.toFixed(3)}, ${event.seconds.toFixed(1)} s`);
    },
  });
  const figures = {
    ...{ machine: machine(), data: basename(data), steps, peak: peakMemory() },
    manifest: { ...manifest, recipe: undefined },
  };
  console.log(sectionOf(figures));
  writeSection("large", sectionOf(figures), figures);
} finally {
  rmSync(place, { recursive: true });
}

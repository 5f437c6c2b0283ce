import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readGenerationDefaults, withDefaults } from "./generation-config.ts";

function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-generation-"));
  writeFileSync(join(folder, "generation_config.json"), text);
  return folder;
}

function read(json: object) {
  return readGenerationDefaults(folderWith(JSON.stringify(json)));
}

describe("readGenerationDefaults", () => {
  it("takes what decides draws where the file says do_sample", () => {
    // As Qwen 2.5's instruct models have it.
    const file = { do_sample: true, repetition_penalty: 1.05, temperature: 0.7, top_k: 20, top_p: 0.8 };
    expect(read({ ...file, eos_token_id: [1, 2], transformers_version: "4.37.0" })).toEqual({
      defaults: { repetitionPenalty: 1.05, temperature: 0.7, topK: 20, topP: 0.8 },
      notes: [],
    });
    expect(read({ ...file, do_sample: false }).defaults).toEqual({ repetitionPenalty: 1.05 });
    expect(read({ do_sample: true }).defaults).toEqual({ temperature: 1, topK: 50 });
  });

  it("takes beams, and notes what it can't do", () => {
    expect(
      read({ num_beams: 4, length_penalty: 2, max_new_tokens: 9, no_repeat_ngram_size: 3, typical_p: 1 }),
    ).toEqual({
      defaults: { beams: 4, lengthPenalty: 2, maxNewTokens: 9 },
      notes: ["generation_config.json: no_repeat_ngram_size is not supported and has no effect"],
    });
  });

  it("has none without the file, and refuses a broken one", () => {
    expect(readGenerationDefaults(tmpdir())).toEqual({ defaults: {}, notes: [] });
    expect(() => readGenerationDefaults(folderWith("{"))).toThrow("generation_config.json: is not JSON");
    expect(() => read({ top_p: 2 })).toThrow("generation_config.json: top_p: should be 1 or less");
    expect(() => read({ repetition_penalty: 5000 })).toThrow(
      "generation_config.json: repetition_penalty: should be 1,000 or less",
    );
  });
});

describe("withDefaults", () => {
  const drawn = { temperature: 0.7, topK: 20, repetitionPenalty: 1.1 };
  const beams = { beams: 4, lengthPenalty: 2 };

  it.each([
    [drawn, {}, drawn],
    [drawn, { topK: 5 }, { ...drawn, topK: 5 }],
    [drawn, { temperature: 0 }, { temperature: 0, repetitionPenalty: 1.1 }],
    [drawn, { beams: 3 }, { beams: 3, repetitionPenalty: 1.1 }],
    [beams, {}, beams],
    [beams, { beams: 2 }, { beams: 2, lengthPenalty: 2 }],
    [beams, { beams: 1 }, { beams: 1 }],
    [beams, { temperature: 1 }, { temperature: 1 }],
    [beams, { topP: 0.5 }, { topP: 0.5, temperature: 1 }],
    [{}, { topK: 4 }, { topK: 4, temperature: 1 }],
  ])("%j with %j is %j", (defaults, options, merged) => {
    expect(withDefaults(defaults, options)).toEqual(merged);
  });
});

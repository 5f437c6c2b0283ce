import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGrad } from "@promptloss/torch";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tinyLlama } from "../../test/tiny-llama.ts";
import { BestWeights } from "./best-weights.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "best-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("gives back the weights of a step, and refuses a file that is not what was written", () => {
  const { parameters } = tinyLlama();
  const norm = parameters.get("model.norm.weight")!;
  const best = new BestWeights(folder, "0123456789abcdef0123");
  const before = [...norm.toTypedArray()];
  const hash = best.write(3, parameters);
  noGrad(() => norm.fill_(9));
  const pieces = new Map([...parameters].map(([name, tensor]) => [name, { tensor }]));
  best.restore(3, hash, pieces);
  expect([...norm.toTypedArray()]).toEqual(before);
  const path = join(folder, readdirSync(folder)[0]!);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  expect(() => best.restore(3, hash, pieces)).toThrow("the best weights are not what was written");
  expect(() => best.restore(4, hash, pieces)).toThrow("the best weights, of step 4, are not there");
});

test("keeps the weights of the steps that count, and no others", () => {
  const { parameters } = tinyLlama();
  const best = new BestWeights(folder, "0123456789abcdef0123");
  for (const step of [1, 2, 3]) best.write(step, parameters);
  best.keepOnly(new Set([1, 3]));
  expect(readdirSync(folder)).toEqual(
    [1, 3].map((step) => `best-0123456789abcdef-step-00000${step}.safetensors`),
  );
});

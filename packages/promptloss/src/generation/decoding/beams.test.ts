import { noGrad, scope } from "@promptloss/torch";
import { describe, expect, it } from "vitest";
import { tinyLlama } from "../../../test/tiny-llama.ts";
import { packSequences } from "../../models/index.ts";
import { generate } from "../generate.ts";
import type { GenerationSettings } from "../options.ts";
import { type BeamCandidate, type BeamNode, BeamState } from "./beams.ts";

type Settings = Pick<GenerationSettings, "beams" | "lengthPenalty" | "earlyStopping">;

function node(id: number, parent?: BeamNode): BeamNode {
  return {
    id,
    parent,
    length: (parent?.length ?? 0) + 1,
    logProbability: undefined,
  };
}

/** A state of two beams: one has ended at −1 over length 2, one at −1.2; the best that runs is at −3. */
function afterTwoSteps(settings: Partial<Settings>): BeamState {
  const state = new BeamState({ beams: 2, lengthPenalty: 1, earlyStopping: false, ...settings }, 20);
  const extend = (beam: number, score: number, ends: boolean): BeamCandidate => ({
    beam,
    node: node(beam, state.running[beam]!.node),
    score,
    end: ends ? { finishReason: "stop", stopReason: 0 } : undefined,
  });
  state.advance([extend(0, -0.5, false), extend(0, -0.9, false), extend(0, -4, false), extend(0, -5, false)]);
  state.advance([extend(0, -1, true), extend(1, -1.2, true), extend(0, -3, false), extend(1, -4, false)]);
  return state;
}

describe("BeamState", () => {
  it("is done when none that runs would win at its present length", () => {
    expect(afterTwoSteps({}).done).toBe(true);
  });

  it("goes on with never, as long as one could win at the greatest length", () => {
    // −3 / 20 is better than −1.2 / 2.
    expect(afterTwoSteps({ earlyStopping: "never" }).done).toBe(false);
    // Without a reward for length −3 stays worse than −1.2.
    expect(afterTwoSteps({ earlyStopping: "never", lengthPenalty: 0 }).done).toBe(true);
  });

  it("stops early when as many beams have ended, though a running one is better", () => {
    const advance = (earlyStopping: boolean): BeamState => {
      const state = new BeamState({ beams: 1, lengthPenalty: 1, earlyStopping }, 20);
      const first = node(1);
      state.advance([
        { beam: 0, node: first, score: -1, end: undefined },
        { beam: 0, node: node(2), score: -1.1, end: undefined },
      ]);
      // Scores can rise where a repetition penalty below 1 raises them.
      state.advance([
        { beam: 0, node: node(3, first), score: -1, end: { finishReason: "stop", stopReason: 3 } },
        { beam: 0, node: node(4, first), score: -0.5, end: undefined },
      ]);
      return state;
    };
    expect(advance(true).done).toBe(true);
    expect(advance(false).done).toBe(false);
  });

  it("gives the ended first, then those that run as aborted", () => {
    const state = new BeamState({ beams: 2, lengthPenalty: 1, earlyStopping: false }, 20);
    state.advance([
      { beam: 0, node: node(1), score: -1, end: { finishReason: "stop", stopReason: 1 } },
      { beam: 0, node: node(2), score: -2, end: undefined },
      { beam: 0, node: node(3), score: -3, end: undefined },
      { beam: 0, node: node(4), score: -4, end: undefined },
    ]);
    expect(state.results(2).map(({ node: last, end }) => [last.id, end.finishReason])).toEqual([
      [1, "stop"],
      [2, "abort"],
    ]);
  });
});

describe("beams as many as there are sequences", () => {
  it("find what trying all finds", async () => {
    const vocabulary = 5;
    const model = tinyLlama({ config: { vocab_size: vocabulary }, trainable: false });
    const prompt = [1, 3];
    const all = Array.from({ length: vocabulary ** 3 }, (_, i) => [
      Math.trunc(i / vocabulary ** 2),
      Math.trunc(i / vocabulary) % vocabulary,
      i % vocabulary,
    ]);
    const scores = noGrad(() =>
      scope(() => {
        const packed = packSequences(all.map((ids) => [...prompt, ...ids]));
        return model.logits(model.forward(packed)).logSoftmax(-1).toArray();
      }),
    ) as number[][];
    const length = prompt.length + 3;
    const ranked = all
      .map((ids, i) => ({
        ids,
        score: ids.reduce((sum, id, t) => sum + scores[i * length + prompt.length - 1 + t]![id]!, 0),
      }))
      .sort((a, b) => b.score - a.score);
    const [found] = await generate(model, [prompt], {
      beams: vocabulary ** 2,
      sequences: 8,
      maxNewTokens: 3,
      lengthPenalty: 0,
    });
    expect(found!.map(({ ids }) => [...ids])).toEqual(ranked.slice(0, 8).map(({ ids }) => ids));
    found!.forEach(({ score }, i) => {
      // float32 sums of three.
      expect(score).toBeCloseTo(ranked[i]!.score, 4);
    });
    model.free();
  });
});

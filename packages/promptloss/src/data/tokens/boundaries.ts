// Where the model takes over from the prompt, tokens must not reach over: training sees exactly the ids that
// inference will see. The rule, for a rendering with trained completions:
//
//   1. The whole text is encoded at once (joint). If, for each trained completion, the joint ids begin with the
//      ids of the text before the completion encoded alone, they stand.
//   2. Otherwise the text is cut at each completion where they do not: the text up to the first cut is encoded as
//      inference encodes it, and each piece behind a cut on its own in continuation (no BOS, no
//      sentencepiece space). Such a boundary is a straddle: "### Response:The" is joined to ":The" in LLaMA 3.
//
// After a straddle, inference with a later turn would encode the earlier completion joined to its prompt again,
// which no single row can show: those later completions are counted as retokenized histories.
import type { Rendering } from "../templates/index.ts";
import type { EncodedText, Tokenizer } from "../tokenizer/index.ts";

/** An encoded stretch of a rendering. */
export interface EncodedPiece {
  readonly ids: Int32Array;
  readonly encoded: EncodedText;
  /** Token i of `ids` is token `firstToken + i` of `encoded`. */
  readonly firstToken: number;
  /** Add it to a position in `encoded`'s text to get one in the rendering's. */
  readonly shift: number;
}

function wholePiece(encoded: EncodedText): EncodedPiece {
  return {
    ids: encoded.ids,
    encoded,
    firstToken: 0,
    shift: 0,
  };
}

export interface BoundedEncoding {
  readonly pieces: readonly EncodedPiece[];
  readonly straddles: number;
  readonly retokenizedHistories: number;
}

/** The text that decides whether a boundary holds, and the joint token at which its ids should begin. */
interface Check {
  readonly row: number;
  readonly boundary: number;
  readonly fromToken: number;
  readonly text: string;
}

const MEMO_LIMIT = 10_000;

/** Encodes renderings so that no token reaches over the start of a trained completion. */
export class BoundaryEncoder {
  readonly #tokenizer: Tokenizer;
  /** Ids of the texts between a special token and a completion: a handful for any chat template. */
  readonly #memo = new Map<string, Int32Array>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Special tokens that the tokenizer puts before a text are not included. */
  async encode(renderings: readonly Rendering[]): Promise<BoundedEncoding[]> {
    const joint = await this.#tokenizer.encodeBatch(renderings.map(({ text }) => text));
    const checks = renderings.flatMap((rendering, row) =>
      rendering.targets.flatMap(({ start }) =>
        start === 0 ? [] : [this.#check(rendering, row, joint[row]!, start)],
      ),
    );
    const expected = await this.#expectedIds(checks);
    const cuts: number[][] = renderings.map(() => []);
    for (const [i, check] of checks.entries()) {
      if (!continuesWith(joint[check.row]!.ids, check.fromToken, expected[i]!))
        cuts[check.row]!.push(check.boundary);
    }
    const results: BoundedEncoding[] = joint.map((encoded) => ({
      pieces: [wholePiece(encoded)],
      straddles: 0,
      retokenizedHistories: 0,
    }));
    await this.#cutRows(renderings, cuts, results);
    return results;
  }

  /**
   * A special token splits the text before anything else is done, so from the last one before the boundary on
   * the encoding does not depend on what is before it: only that stretch needs encoding again.
   */
  #check(rendering: Rendering, row: number, joint: EncodedText, boundary: number): Check {
    let token = joint.tokenAt(boundary) - 1;
    while (token > 0 && !this.#tokenizer.isolatedIds.has(joint.ids[token]!)) token--;
    const fromToken = Math.max(token, 0);
    const from = fromToken === 0 ? 0 : joint.rangeOf(fromToken)[0];
    return { row, boundary, fromToken, text: rendering.text.slice(from, boundary) };
  }

  async #expectedIds(checks: readonly Check[]): Promise<Int32Array[]> {
    const open = [...new Set(checks.map(({ text }) => text))].filter((text) => !this.#memo.has(text));
    const encoded = await this.#tokenizer.encodeIds(open);
    const fresh = new Map(open.map((text, i) => [text, encoded[i]!]));
    const results = checks.map(({ text }) => this.#memo.get(text) ?? fresh.get(text)!);
    for (const { fromToken, text } of checks) {
      // Whole prompts seldom come again; what follows a special token nearly always does.
      if (fromToken > 0 && this.#memo.size < MEMO_LIMIT)
        this.#memo.set(text, fresh.get(text) ?? this.#memo.get(text)!);
    }
    return results;
  }

  async #cutRows(
    renderings: readonly Rendering[],
    cuts: readonly (readonly number[])[],
    results: BoundedEncoding[],
  ): Promise<void> {
    const rows = cuts.flatMap((boundaries, row) => (boundaries.length > 0 ? [row] : []));
    if (rows.length === 0) return;
    const heads = await this.#tokenizer.encodeBatch(
      rows.map((row) => renderings[row]!.text.slice(0, cuts[row]![0])),
    );
    const tails = rows.flatMap((row) =>
      cuts[row]!.map((start, i) => ({ row, start, end: cuts[row]![i + 1] ?? renderings[row]!.text.length })),
    );
    const encodedTails = await this.#tokenizer.encodeContinuationBatch(
      tails.map(({ row, start, end }) => renderings[row]!.text.slice(start, end)),
    );
    for (const [i, row] of rows.entries()) {
      const [firstCut = 0] = cuts[row]!;
      const pieces = tails.flatMap((tail, t) => {
        const { ids, encoded, firstToken, guardLength } = encodedTails[t]!;
        return tail.row === row ? [{ ids, encoded, firstToken, shift: tail.start - guardLength }] : [];
      });
      results[row] = {
        pieces: [wholePiece(heads[i]!), ...pieces],
        straddles: cuts[row]!.length,
        retokenizedHistories: renderings[row]!.targets.filter(({ start }) => start > firstCut).length,
      };
    }
  }
}

function continuesWith(ids: Int32Array, from: number, expected: Int32Array): boolean {
  if (from + expected.length > ids.length) return false;
  for (let i = 0; i < expected.length; i++) if (ids[from + i] !== expected[i]) return false;
  return true;
}

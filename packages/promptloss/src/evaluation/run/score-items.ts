// Items through the model: log-likelihoods of choices and completions. Records come as soon as all of an item is scored.
import { ScoringError } from "../errors.ts";
import type { ChoiceItem, Item, LikelihoodItem } from "../requests/item.ts";
import { type EncodedPair, encodePairs } from "../scoring/encode-pairs.ts";
import { type LogLikelihood, logLikelihoods } from "../scoring/log-likelihoods.ts";
import { type ScoredSequence, sequenceOf } from "../scoring/sequences.ts";
import type { EvaluationTask } from "../tasks/index.ts";
import type { EvaluatedModel } from "./model.ts";
import { recordOfScores } from "./record.ts";
import { readContext, scoredRequest } from "./request.ts";
import type { EvaluationRecord } from "./types.ts";

export interface ScoreItemsOptions {
  readonly batchTokens: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onRecords: (records: readonly EvaluationRecord[]) => void;
}

/** An item with its place in the task's file. */
export interface PlacedItem<T extends Item = Item> {
  readonly index: number;
  readonly item: T;
}

/** @throws {ScoringError} for a continuation without tokens, or one longer than what is read */
export async function scoreItems(
  task: EvaluationTask,
  { model, tokenizer, maxLength }: EvaluatedModel,
  items: readonly PlacedItem<ChoiceItem | LikelihoodItem>[],
  { batchTokens, signal, onRecords }: ScoreItemsOptions,
): Promise<void> {
  const owners = items.flatMap(({ item }, owner) => item.pairs.map((_, pair) => ({ owner, pair })));
  const encoded = await encodePairs(
    tokenizer,
    items.flatMap(({ item }) => item.pairs),
  );
  const sequences: ScoredSequence[] = encoded.map((pair, i) => {
    const { length } = pair.continuation;
    const item = items[owners[i]!.owner]!.index;
    if (length === 0 || pair.context.length === 0)
      throw new ScoringError(task.task, "a choice adds no tokens to its context", {
        item,
        hint: "the model scores tokens; leave such rows out",
      });
    if (length > maxLength)
      throw new ScoringError(task.task, `a choice of ${length} tokens; ${maxLength} are read`, {
        item,
        hint: "shorten the choice or leave the row out",
      });
    return sequenceOf(pair, i, maxLength);
  });
  const truncated = items.map(() => false);
  const own: EncodedPair[][] = items.map(() => []);
  encoded.forEach((pair, i) => {
    const { owner } = owners[i]!;
    own[owner]!.push(pair);
    if (readContext(pair, maxLength).length < pair.context.length) truncated[owner] = true;
  });
  const scores = items.map(({ item }) =>
    new Array<LogLikelihood | undefined>(item.pairs.length).fill(undefined),
  );
  logLikelihoods(model, sequences, {
    batchTokens,
    signal,
    onBatch: (indices, batch) => {
      const touched = new Set<number>();
      indices.forEach((index, i) => {
        const { owner, pair } = owners[index]!;
        scores[owner]![pair] = batch[i]!;
        touched.add(owner);
      });
      const whole = [...touched].filter((owner) => scores[owner]!.every((score) => score !== undefined));
      onRecords(
        whole.map((owner) => {
          const { index, item } = items[owner]!;
          const request = scoredRequest(item.pairs, own[owner]!, maxLength);
          const given = scores[owner] as LogLikelihood[];
          return recordOfScores(task, index, item, { request, scores: given, truncated: truncated[owner]! });
        }),
      );
    },
  });
}

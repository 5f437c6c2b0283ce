// What a served model makes of rows now: the loss of predicting each token, from which a page computes the shares that
// prompt and completion really have.
import { setImmediate } from "node:timers/promises";
import { counted } from "../../counted.ts";
import { CLASS_CODE, WeightedTokens } from "../../data/tokens/index.ts";
import { contextLength } from "../../models/config/context-length.ts";
import { type CausalLanguageModel, rowLosses } from "../../models/index.ts";
import { ServeError } from "../../serve/errors.ts";

/** Tokens that are computed at one time: others wait for the model meanwhile, as for a step of the running batch. */
const STEP_TOKENS = 512;

/** Of one request, in tokens. */
export const LOSS_TOKENS = 2048;

/** Digits that a sum of losses still needs. */
const DIGITS = 6;

/**
 * @param rows ids of each row
 * @returns of each row a loss in nats for every token but the first
 * @throws {ServeError} 400 for rows that the model can't read
 */
export async function lossesOf(
  model: CausalLanguageModel,
  rows: readonly (readonly number[])[],
  signal: AbortSignal,
): Promise<number[][]> {
  checkRows(model, rows);
  const losses: number[][] = [];
  for (let start = 0, end = 0; start < rows.length; start = end) {
    let tokens = 0;
    for (; end < rows.length && (end === start || tokens + rows[end]!.length <= STEP_TOKENS); end++)
      tokens += rows[end]!.length;
    await setImmediate();
    signal.throwIfAborted();
    for (const { predictions } of rowLosses(model, rows.slice(start, end).map(weighted)))
      losses.push(Array.from(predictions.losses, (loss) => Number(loss.toPrecision(DIGITS))));
  }
  if (losses.flat().some((loss) => !Number.isFinite(loss)))
    throw new ServeError(400, "rows: the model has losses on them that are no finite numbers", {
      param: "rows",
    });
  return losses;
}

function weighted(ids: readonly number[], row: number): WeightedTokens {
  return WeightedTokens.of({
    ids: Int32Array.from(ids),
    classes: new Uint8Array(ids.length).fill(CLASS_CODE.completion),
    weights: new Float32Array(ids.length).fill(1),
    source: { file: "rows", row: row + 1 },
  });
}

function checkRows({ architecture }: CausalLanguageModel, rows: readonly (readonly number[])[]): void {
  const { encoder, vocabularySize } = architecture;
  const context = contextLength(architecture);
  const refuse = (message: string): never => {
    throw new ServeError(400, `rows: ${message}`, { param: "rows" });
  };
  if (encoder !== undefined) refuse("losses of models with an encoder are not measured here");
  const tokens = rows.reduce((sum, { length }) => sum + length, 0);
  if (rows.length > 1 && tokens > LOSS_TOKENS)
    refuse(`have ${tokens} tokens, and ${LOSS_TOKENS} are the most of several rows`);
  for (const ids of rows) {
    if (ids.length < 2 || ids.length > context)
      refuse(`a row has ${counted(ids.length, "token")}; the model takes 2 to ${context}`);
    const wrong = ids.find((id) => id >= vocabularySize);
    if (wrong !== undefined) refuse(`${wrong} is no id of the model, which has ${vocabularySize}`);
  }
}

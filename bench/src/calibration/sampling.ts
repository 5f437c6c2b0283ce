// Whether a score's own sampling error should count as known (analysis.samplingError): studies of one task whose items are
// answered one by one, by all cells the same or by each cell its own. They are judged as `study results` judges them: without
// it; with each score's own standard error, sqrt(acc (1 - acc) / (n - 1)); and with that of comparisons of cells on the same
// items, from the answers.
import { analyzeWeights, pairedErrors } from "promptloss/statistics";
import { randomSource } from "./random.ts";
import { cellsOf, type Design } from "./truths.ts";

export interface SamplingTally {
  readonly design: string;
  /** Whether all cells answer the same items. */
  readonly sharedItems: boolean;
  readonly course: "none" | "quadratic";
  readonly studies: number;
  /** Studies that see a relation, uncorrected at 5 %. */
  readonly without: number;
  /** With each score's own standard error. */
  readonly known: number;
  /** With errors paired by item; undefined where cells answer items of their own. */
  readonly paired: number | undefined;
}

const ITEMS = 200;
/** Deviations of an item's difficulty, and of what a cell's answer to an item has of its own, on the latent scale. */
const [DIFFICULTY, OWN] = [1, 0.5];

export function samplingTally(
  design: Design,
  sharedItems: boolean,
  course: SamplingTally["course"],
  studies: number,
  seed: number,
): SamplingTally {
  let [without, known, paired] = [0, 0, 0];
  for (let k = 0; k < studies; k++) {
    const random = randomSource(1_000_003 * seed + 7919 * k + 17);
    const items = (): number[] => Array.from({ length: ITEMS }, () => DIFFICULTY * random.normal());
    const same = items();
    const cells = cellsOf(design).map(({ plw, wp, seed: block }) => {
      const height = course === "none" ? 0.5 : 0.5 + 0.2 * (1 - ((wp - 0.55) / 0.55) ** 2);
      const own = sharedItems ? same : items();
      const answers = own.map((difficulty) => (height + difficulty + OWN * random.normal() > 0 ? 1 : 0));
      const score = answers.reduce<number>((sum, x) => sum + x, 0) / ITEMS;
      return {
        row: { cell: `${plw}-${block}`, plw, wp, block: `seed ${block}`, task: "quiz", score },
        answers,
      };
    });
    if (new Set(cells.map(({ row }) => row.score)).size < 2) continue;
    const sees = (errorOf: (at: number) => number | undefined): boolean =>
      analyzeWeights(
        cells.map(({ row }, at) => ({ ...row, samplingError: errorOf(at) })),
        0.95,
      ).relation.p < 0.05;
    if (sees(() => undefined)) without++;
    if (sees((at) => Math.sqrt((cells[at]!.row.score * (1 - cells[at]!.row.score)) / (ITEMS - 1)))) known++;
    if (!sharedItems) continue;
    const errors = new Map<number, number>();
    for (const block of new Set(cells.map(({ row }) => row.block))) {
      const own = [...cells.keys()].filter((at) => cells[at]!.row.block === block);
      for (const [i, error] of pairedErrors(own.map((at) => cells[at]!.answers))!.entries())
        errors.set(own[i]!, error);
    }
    if (sees((at) => errors.get(at))) paired++;
  }
  return {
    ...{ design: `${design.weights} × ${design.seeds}`, sharedItems, course, studies, without, known },
    paired: sharedItems ? paired : undefined,
  };
}

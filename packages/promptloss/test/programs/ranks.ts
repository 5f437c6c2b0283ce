// One rank of several that compute the loss and gradients of batches together; the environment says which. Arguments: a
// number by which the batches are drawn, how many, and the dtype. Prints what it computed as JSON.
import type { DType } from "@promptloss/torch";
import { placementOf } from "@promptloss/torch/distributed";
import { Ranks } from "../../src/training/ranks/index.ts";
import { drawnBatches, measured } from "../rank-batches.ts";

const [seed = "1", count = "1", dtype = "float64"] = process.argv.slice(2);
const ranks = new Ranks({ placement: placementOf(process.env)!, timeout: 60 });
const results = drawnBatches(Number(seed), Number(count)).map(({ rows, splits, settings }) => {
  // As the batch's split says, which leaves some ranks without rows or without a trained token.
  const own = rows.filter((_, place) => splits[place]! % ranks.size === ranks.rank);
  return measured(dtype as DType, own, { ...settings, ranks });
});
process.stdout.write(JSON.stringify(results));
ranks.close();

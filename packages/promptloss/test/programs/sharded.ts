// One rank of several that train together; the environment says which. Arguments: cases as JSON, a folder, and to which
// step they train; those after the first step of a folder go on from its checkpoint. Rank 0 prints what came of each.
import { join } from "node:path";
import { placementOf } from "@promptloss/torch/distributed";
import { Ranks } from "../../src/training/ranks/index.ts";
import { type ShardedCase, trainedTo } from "../sharded-runs.ts";

const [cases = "[]", folder = "", until = "4", saves = ""] = process.argv.slice(2);
const ranks = new Ranks({ placement: placementOf(process.env)!, timeout: 60 });
const results = (JSON.parse(cases) as ShardedCase[]).map((which, place) =>
  trainedTo(which, join(folder, which.folder ?? String(place)), {
    until: Number(until),
    saves: saves !== "",
    ranks,
  }),
);
if (ranks.isFirst) process.stdout.write(JSON.stringify(results));
ranks.group.barrier();
ranks.close();

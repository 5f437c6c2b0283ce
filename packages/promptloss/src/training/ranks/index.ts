// Several processes that train one model.
export { type Launched, launcherPlacement, launchRanks } from "./launch.ts";
export { Ranks } from "./ranks.ts";
export { shareOf } from "./share.ts";
export { sumOverRanks } from "./sum-over-ranks.ts";

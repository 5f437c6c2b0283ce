// Checkpoints: what a run needs to go on as if it had never stopped.
export { type Checkpoint, type RunState, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
export { CheckpointShelf } from "./shelf.ts";

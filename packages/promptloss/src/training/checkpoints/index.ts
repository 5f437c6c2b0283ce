// Checkpoints: what a run needs to go on as if it had never stopped.
export {
  type Checkpoint,
  type OpenCheckpoint,
  openCheckpoint,
  type RunState,
  readCheckpoint,
  unseen,
  writeCheckpoint,
} from "./checkpoint.ts";
export type { SavedPiece } from "./pieces.ts";
export { CheckpointShelf, checkpointSteps } from "./shelf.ts";

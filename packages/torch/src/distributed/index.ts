// Processes that work together: process groups on libtorch's c10d, and the places that launchers give.
export { type Environment, environmentOf, type Placement, placementOf } from "./environment.ts";
export { DistributedUnavailableError, ProcessGroupError, RankError } from "./errors.ts";
export { distributedBackends } from "./library.ts";
export {
  type Backend,
  giveBackMemory,
  type PendingOperation,
  ProcessGroup,
  type ProcessGroupOptions,
  type Reduction,
  takeMemory,
} from "./process-group.ts";

// Training state that processes divide among them.
export { IDLE, type ShardBytes, type ShardedParameter, type ShardingMode, Shards } from "./shards.ts";

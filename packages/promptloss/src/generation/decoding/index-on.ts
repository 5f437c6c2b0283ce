// Indexes for operators, sent to a device without waiting for it: a copy from ordinary memory would wait.
import { type Tensor, upload } from "@promptloss/torch";

/** [places] int64. */
export function indexOn(places: readonly number[], device: string): Tensor {
  return upload([Int32Array.from(places)], device)[0]!.long();
}

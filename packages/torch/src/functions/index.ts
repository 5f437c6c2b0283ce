// The typed operators by group.
export * from "./adamw-step.ts";
export * from "./arithmetic.ts";
export * from "./comparison.ts";
export * from "./conversion.ts";
export * from "./creation.ts";
export * from "./fused.ts";
export * from "./in-place.ts";
export * from "./indexing.ts";
export * from "./linalg.ts";
export * from "./nn.ts";
export * from "./packed-attention.ts";
export * from "./pointwise.ts";
export * from "./random.ts";
export * from "./reduction.ts";
export * from "./shape.ts";
export * from "./weighted-cross-entropy.ts";

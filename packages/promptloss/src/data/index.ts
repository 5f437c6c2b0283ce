// Data: files to examples, to tokens with classes and weights, to packs.
export * from "./cache/index.ts";
export * from "./example.ts";
export * from "./packing/index.ts";
export * from "./rows/index.ts";
export * from "./templates/index.ts";
export * from "./tokenizer/index.ts";
export * from "./tokens/index.ts";

// The library's public face.
export * from "./data/cache/index.ts";
export * from "./data/example.ts";
export * from "./data/packing/index.ts";
export * from "./data/rows/index.ts";
export * from "./data/templates/index.ts";
export * from "./data/tokenizer/index.ts";
export * from "./data/tokens/index.ts";
export * from "./errors.ts";
export * from "./generation/index.ts";
export * from "./inspect/index.ts";
export * from "./invert/index.ts";
export * from "./loss/index.ts";
export * from "./models/index.ts";
export * from "./preview/index.ts";
export * from "./recipe/index.ts";
export * from "./statistics/index.ts";
export * from "./training/index.ts";

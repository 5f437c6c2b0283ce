// The library's public face.
export * from "./data/example.ts";
export * from "./errors.ts";

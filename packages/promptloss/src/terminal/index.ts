// The terminal: colors of our own, and the door that text from outside passes.
export { bar, barLine } from "./bar.ts";
export { controlMark, openDoor, product } from "./door.ts";
export { type Ink, ink, inkOf, rewritten } from "./ink.ts";
export { lineOutput, linePrompt } from "./line-output.ts";
export { clipped, LiveLines } from "./live-lines.ts";
export { harmless, harmlessJson, visible } from "./visible.ts";
export { columnsOf, wrapped } from "./wrap.ts";

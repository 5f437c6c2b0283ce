// What becomes of a row, in words: in the terminal and in the studio. Pure.
import type { Fit } from "../data/tokens/index.ts";

export const FIT_WORDS: Readonly<Record<Fit["kind"], string>> = {
  kept: "",
  dropped: "too long: the row is dropped",
  "no-room": "too long even without its prompt: the row is left out",
  "prompt-cut": "too long: cut from the left of the prompt",
  "completion-cut": "too long: cut from the right",
};

export const UNTRAINED = "no token is trained: training refuses the row";

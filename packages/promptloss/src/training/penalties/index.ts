// Penalties on leaving the starting model: its weights, or its predictions.
export { KlPenalty } from "./kl.ts";
export { MinkowskiPenalty, type MinkowskiSettings, minkowskiDistance } from "./minkowski.ts";

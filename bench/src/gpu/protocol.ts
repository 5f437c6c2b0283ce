// What a side of the GPU's benchmark is asked. It answers as the sides of training do: facts, then a round per request.
import type { OpenRequest } from "../training/protocol.ts";
import type { Size } from "./cases.ts";

/** With the fields that Python's sides of training read. */
export interface GpuRequest extends Omit<OpenRequest, "shape"> {
  readonly device: string;
  readonly checkpointing: boolean;
}

/** Draws a model into a folder, with a tokenizer's files; answered with its `parameters`. */
export interface DrawRequest {
  readonly draw: Size;
  readonly folder: string;
  readonly tokenizer: string;
  readonly device: string;
}

/** Asks for the rate of products in bfloat16, in floating-point operations a second. */
export interface RateRequest {
  readonly rate: string;
}

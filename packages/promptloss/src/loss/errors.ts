// What can go wrong with a loss: a batch that defines none, settings out of range.
import { PromptlossError } from "../errors.ts";

export class LossError extends PromptlossError {}

// What is wrong with a plan of data as a whole, where no single row or file is to blame.
import { PromptlossError } from "../errors.ts";

/** Settings that do not go together, or that leave no row. */
export class DataPlanError extends PromptlossError {}

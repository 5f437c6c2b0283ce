// What the page on weights is told of rows: plain JSON, from which a browser computes every token's weight and the shares of
// the loss itself, at any prompt loss weight.
import type { GenerationRatio } from "../../inspect/index.ts";
import type { Recommendation } from "../../statistics/index.ts";

/** A row's tokens: `ClassifiedTokens` as JSON, and the text of each. Lists are of one length. */
export interface TokenRow {
  /** In its file, counted from 1. */
  readonly row: number;
  readonly ids: readonly number[];
  /** Codes of classes: indices into TOKEN_CLASSES. */
  readonly classes: readonly number[];
  /** Empty where a token's bytes only end a character that an earlier token begins. */
  readonly texts: readonly string[];
  /** Places of special tokens. */
  readonly special: readonly number[];
  /** Weights that the data carries, null where a token's class decides; left out where the row has none. */
  readonly partWeights?: readonly (number | null)[];
  /** Factors on the classes' weights; left out where all are 1. */
  readonly scales?: readonly number[];
  readonly rowWeight: number;
}

/** A row that can't be used. */
export interface BadRow {
  /** Null where the cause is not one row's. */
  readonly row: number | null;
  readonly field: string | null;
  /** In a word, for programs: a DataError's reason, `template`, or a TokenRowError's. */
  readonly cause: string;
  readonly message: string;
  readonly hint: string | null;
}

export interface WeightsAnswer {
  /** What the rows were called. */
  readonly name: string;
  /** Undefined where no row could be read. */
  readonly format?: string;
  /** What a row's number counts: lines of a file, records of CSV, or rows. */
  readonly unit: "line" | "record" | "row";
  /** As a recipe names it. */
  readonly template: string;
  readonly turns: "all" | "last";
  readonly counts: {
    /** Rows read, bad ones included. */
    readonly read: number;
    /** Rows that training could use. */
    readonly usable: number;
    readonly bad: number;
  };
  /** The first rows that can be used, as many as fit; fewer than `counts.usable` where there are more. */
  readonly rows: readonly TokenRow[];
  /** The token that stays in front where a prompt is cut. */
  readonly bosId?: number;
  /** The first bad rows; `counts.bad` is how many there are. */
  readonly bad: readonly BadRow[];
  /** What `promptloss inspect` would say of the rows. */
  readonly notes: readonly string[];
  /** Undefined without a usable row. */
  readonly generationRatio?: GenerationRatio;
  /** (completion + stop) / (prompt + template), as trained, on a sample of 1,000 rows. */
  readonly ratioAsTrained?: number;
}

/** What a fact is known from. */
export interface Ground {
  readonly from: string;
  readonly text: string;
}

/** A recommendation with what it rests on in words. */
export interface RecommendationAnswer extends Omit<Recommendation, "evidence"> {
  readonly evidence: readonly Ground[];
}

/** A tokenizer that rows may be encoded with. */
export interface TokenizerEntry {
  /** What requests name it by. */
  readonly id: string;
  readonly name: string;
  /** Of a model that is served, or of a folder below the studio's. */
  readonly kind: "served" | "folder";
  /** The most tokens of a row, where the model says it. */
  readonly positions?: number;
  /** Of the model. */
  readonly parameters?: number;
  /** Of a model whose encoder reads the prompt: rows are shown as a decoder predicts them. */
  readonly encoder?: true;
  /** What a recipe calls it: a path from the folder that the studio was started in, or its name. */
  readonly path: string;
  /** The model's id where jobs can train it. */
  readonly trains?: string;
  /** Whether its model can say what losses rows have. */
  readonly measures: boolean;
}

/** What the page may ask for. */
export interface WeightsSettings {
  readonly tokenizers: readonly TokenizerEntry[];
  /** Names of templates beside `tokenizer`. */
  readonly templates: readonly string[];
  /** The most bytes of a text of rows. */
  readonly textBytes: number;
  /** Studies whose runs a recommendation may rest on. */
  readonly studies: readonly { readonly id: string; readonly name: string }[];
  /** The most tokens of the rows of one request for losses. */
  readonly lossTokens: number;
  /** Whether runs can be started. */
  readonly jobs: boolean;
}

/** What is wrong with a recipe's values. */
export interface RecipeFault {
  /** "training.learningRate"; empty for the recipe as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface RecipeAnswer {
  readonly yaml: string;
  readonly problems: readonly RecipeFault[];
}

export interface JobPlace {
  /** The id of the job's run in the studio; null as long as it has no folder, or one that is not below the studio's. */
  readonly run: string | null;
}

/** What a served model makes of rows. */
export interface LossesAnswer {
  /** In nats; entry t of a row is of predicting its token t + 1. */
  readonly losses: readonly (readonly number[])[];
}

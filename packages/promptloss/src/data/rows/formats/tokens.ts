// Rows that arrive tokenized: input_ids with one of completion_mask, weights (or, as others call them, loss_mask), or
// labels where -100 is prompt.
import { kindOf } from "../containers/json-text.ts";
import { RowProblem } from "../data-error.ts";
import { asWeight, type RowFields, wrongType } from "./fields.ts";
import { type Draft, type RowFormat, WEIGHT_FIELD } from "./row-format.ts";

const MASKS = ["completion_mask", "weights", "loss_mask", "labels"] as const;

/** The label that Hugging Face's trainers leave out of the loss. */
const IGNORED_LABEL = -100;

/** The most that an Int32Array holds. */
const MAX_ID = 2 ** 31 - 1;

export const tokens: RowFormat = {
  name: "tokens",
  required: ["input_ids"],
  optional: [...MASKS, "attention_mask"],
  parse(row: RowFields): Draft {
    const inputIds = parseIds(row);
    checkAttention(row, inputIds.length);
    const present = MASKS.filter((name) => row.get(name) !== undefined);
    const [name, other] = present;
    if (name === undefined) {
      throw new RowProblem("missing-field", `tokens without ${MASKS.join(", ")}: which are trained?`, {
        hint: "To train on all of them, add a completion_mask of ones.",
      });
    }
    if (other !== undefined) {
      throw new RowProblem("wrong-type", `both ${present.join(" and ")} say which tokens are trained`, {
        field: other,
        hint: `Leave one out, for example with columns: { ${other}: null }.`,
      });
    }
    const values = row.list(name);
    const field = row.column(name) ?? name;
    checkLength(values, inputIds.length, field);
    const mask =
      name === "weights" || name === "loss_mask"
        ? { weights: parseWeights(values, field) }
        : {
            completionMask:
              name === "labels" ? parseLabels(values, inputIds, field) : parseMask(values, field),
          };
    const trained = "weights" in mask ? mask.weights : mask.completionMask;
    if (!trained.some((value: number) => value > 0)) {
      throw new RowProblem("untrained", "no token is trained", { field });
    }
    const weight = row.weight(WEIGHT_FIELD);
    const draft = { kind: "tokens", inputIds, ...mask } as const;
    return weight === undefined ? draft : { ...draft, weight };
  },
};

function parseIds(row: RowFields): Int32Array {
  const field = row.column("input_ids") ?? "input_ids";
  const list = row.list("input_ids");
  if (list.length === 0) throw new RowProblem("untrained", "the row has no tokens", { field });
  return Int32Array.from(list, (value, i) => {
    const id = asInteger(value, `${field}[${i}]`);
    if (id >= 0 && id <= MAX_ID) return id;
    throw new RowProblem("invalid-tokens", `a token id is from 0 to ${MAX_ID}, found ${id}`, {
      field: `${field}[${i}]`,
    });
  });
}

function asInteger(value: unknown, field: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw new RowProblem("invalid-tokens", `a whole number was expected, found ${kindOf(value)}`, { field });
}

function parseMask(values: readonly unknown[], field: string): Uint8Array {
  return Uint8Array.from(values, (value, i) => {
    if (typeof value === "boolean") return value ? 1 : 0;
    const number = asInteger(value, `${field}[${i}]`);
    if (number === 0 || number === 1) return number;
    throw new RowProblem("invalid-tokens", `a mask is of 0 and 1, found ${number}`, {
      field: `${field}[${i}]`,
    });
  });
}

function parseWeights(values: readonly unknown[], field: string): Float32Array {
  return Float32Array.from(values, (value, i) => {
    const weight = asWeight(value, `${field}[${i}]`);
    if (Number.isFinite(Math.fround(weight))) return weight;
    throw new RowProblem("invalid-weight", `${weight} is too large for a 32-bit float`, {
      field: `${field}[${i}]`,
    });
  });
}

function parseLabels(values: readonly unknown[], ids: Int32Array, field: string): Uint8Array {
  return Uint8Array.from(values, (value, i) => {
    const label = asInteger(value, `${field}[${i}]`);
    if (label === IGNORED_LABEL) return 0;
    if (label === ids[i]) return 1;
    throw new RowProblem(
      "invalid-tokens",
      `the label ${label} is neither -100 nor the token's id, ${ids[i]}`,
      {
        field: `${field}[${i}]`,
        hint: "Labels stand under their own tokens here; the shift by one comes in the loss.",
      },
    );
  });
}

function checkLength(values: readonly unknown[], length: number, field: string): void {
  if (values.length === length) return;
  throw new RowProblem("length-mismatch", `${values.length} values for ${length} tokens`, { field });
}

function checkAttention(row: RowFields, length: number): void {
  const mask = row.optionalList("attention_mask");
  if (mask === undefined) return;
  const field = row.column("attention_mask") ?? "attention_mask";
  checkLength(mask, length, field);
  for (const value of mask) if (typeof value === "object") throw wrongType("a mask of 0 and 1", value, field);
  if (mask.every((value) => Number(value) === 1)) return;
  throw new RowProblem("unsupported", "padded rows: a token is not attended to", {
    field,
    hint: "Take the padding off; rows are padded or packed later.",
  });
}

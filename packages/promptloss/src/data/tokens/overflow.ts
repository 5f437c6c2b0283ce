// Rows that are longer than the model's window or the budget: drop them, cut the prompt from the left, cut the
// completion from the right, or refuse.
import { counted } from "../../counted.ts";
import { PART_OF_CODE } from "../token-parts.ts";
import { TokenRowError, WeightError } from "./errors.ts";
import type { WeightedTokens } from "./weighted-tokens.ts";

export const OVERFLOW_POLICIES = ["drop", "truncate-prompt", "truncate-completion", "error"] as const;

export type OverflowPolicy = (typeof OVERFLOW_POLICIES)[number];

export interface OverflowOptions {
  /** The most tokens a row may have, BOS and stop token included. */
  readonly maxLength: number;
  readonly policy: OverflowPolicy;
  /** Kept in front when the prompt is cut. */
  readonly bosId?: number | undefined;
}

export type Fit =
  | { readonly kind: "kept" | "prompt-cut" | "completion-cut"; readonly tokens: WeightedTokens }
  /** `no-room`: without its prompt, the rest is still too long. */
  | { readonly kind: "dropped" | "no-room"; readonly tokens: undefined };

/** Checks overflow settings that came from outside. */
export function checkOverflow(options: OverflowOptions): void {
  if (!Number.isInteger(options.maxLength) || options.maxLength < 2) {
    throw new WeightError("maxLength", `${options.maxLength} is not a whole number of 2 or more`);
  }
  if (!OVERFLOW_POLICIES.includes(options.policy)) {
    throw new WeightError("overflow", `${JSON.stringify(options.policy)} is not a way to treat long rows`, {
      hint: `The ways are ${OVERFLOW_POLICIES.join(", ")}.`,
    });
  }
}

/** The number of tokens before the first trained completion. */
function promptLength(tokens: WeightedTokens): number {
  const first = tokens.classes.findIndex((code) => PART_OF_CODE[code] !== "prompt");
  return first < 0 ? tokens.length : first;
}

/**
 * Makes a row fit. `truncate-prompt` takes tokens from the left of what is before the first trained completion and
 * keeps BOS; a row that stays too long without any prompt is left out (`no-room`).
 * @throws {TokenRowError} with policy `error`
 */
export function fitTokens(tokens: WeightedTokens, options: OverflowOptions): Fit {
  const { maxLength, policy, bosId } = options;
  const excess = tokens.length - maxLength;
  if (excess <= 0) return { kind: "kept", tokens };
  if (policy === "drop") return { kind: "dropped", tokens: undefined };
  if (policy === "truncate-completion") return { kind: "completion-cut", tokens: tokens.slice(0, maxLength) };
  if (policy === "truncate-prompt") {
    const kept = bosId !== undefined && tokens.ids[0] === bosId ? 1 : 0;
    // Something must be left from which the first completion token is predicted.
    const least = Math.max(kept, 1);
    if (promptLength(tokens) - excess < least) return { kind: "no-room", tokens: undefined };
    return { kind: "prompt-cut", tokens: tokens.without(kept, kept + excess) };
  }
  throw new TokenRowError(
    tokens.source,
    "overflow",
    `${counted(tokens.length, "token")}, ${excess} more than the longest row may have (${maxLength})`,
    {
      hint: `Set overflow to drop, truncate-prompt or truncate-completion, or raise maxLength if the model reads more.`,
    },
  );
}

/** The places of a row that its fit takes away, as from and up to; none behind its end. */
export function cutRange(
  { ids }: Pick<WeightedTokens, "ids">,
  fit: Fit,
  overflow: OverflowOptions | undefined,
): [from: number, to: number] {
  const { length } = ids;
  if (fit.kind === "kept") return [length, length];
  if (fit.tokens === undefined) return [0, length];
  const cut = length - fit.tokens.length;
  if (fit.kind === "completion-cut") return [length - cut, length];
  const kept = overflow?.bosId !== undefined && fit.tokens.ids[0] === overflow.bosId ? 1 : 0;
  return [kept, kept + cut];
}

// The frequencies of rotary positions from the many ways in which configs write them: rope_theta beside
// rope_scaling, or transformers 5's rope_parameters. Types: default, linear, dynamic, llama3, yarn, longrope.
// Dynamic scaling depends on the longest sequence seen so far; up to the trained length it is the default, and
// beyond that it is refused.
import type { RopePlan } from "./architecture.ts";
import type { ConfigFields } from "./fields.ts";

export const ROPE_TYPES = ["default", "linear", "dynamic", "llama3", "yarn", "longrope"] as const;
type RopeType = (typeof ROPE_TYPES)[number];

/** What the scaling needs to know of the model. */
export interface RopeContext {
  readonly headSize: number;
  readonly maxPositions: number;
  /** rope_theta where the rope's own object has none. */
  readonly theta: number;
  /** The share of a head that is turned. */
  readonly partial: number;
  /** Where given, it goes before the one in the rope's own object (Phi 3). */
  readonly originalPositions?: number | undefined;
  readonly types?: readonly RopeType[];
}

// Frequencies are computed in float32 like everyone else's, so that long sequences turn by equal angles.
const { fround } = Math;

function inverse(theta: number, width: number): Float32Array {
  return Float32Array.from({ length: width / 2 }, (_, i) => 1 / fround(theta ** fround((2 * i) / width)));
}

/** Older names of types. */
const ALIASES: Readonly<Record<string, RopeType>> = { su: "longrope" };

/** @param rope the object that describes the rope; undefined for the default type */
export function ropePlan(rope: ConfigFields | undefined, context: RopeContext): RopePlan {
  const { headSize, maxPositions } = context;
  const theta = rope?.optionalNumber("rope_theta") ?? context.theta;
  const partial = rope?.optionalNumber("partial_rotary_factor") ?? context.partial;
  const width = Math.trunc(headSize * partial);
  const type = rope === undefined ? "default" : ropeType(rope, context.types ?? ROPE_TYPES);
  if (rope !== undefined && (width % 2 !== 0 || width < 2 || width > headSize))
    throw rope.error(
      "partial_rotary_factor",
      `of heads of ${headSize} must leave an even number of elements`,
    );
  const base = inverse(theta, width);
  const plan =
    rope === undefined ? { frequencies: base, scale: 1 } : scaled[type](rope, base, theta, context);
  rope?.refuseUnread();
  return Object.freeze({ width, ...plan, ...(type === "dynamic" ? { limit: maxPositions } : {}) });
}

function ropeType(rope: ConfigFields, types: readonly RopeType[]): RopeType {
  const key = rope.has("rope_type") ? "rope_type" : "type";
  rope.ignore("rope_type", "type");
  const name = rope.take(key) ?? "default";
  const found = types.find((type) => type === name || type === ALIASES[String(name)]);
  if (found === undefined) throw rope.error(key, `expected ${types.join(", ")}`);
  return found;
}

type Scaled = Pick<RopePlan, "frequencies" | "scale" | "long">;

function originalPositions(rope: ConfigFields, context: RopeContext): number {
  const own = rope.optionalCount("original_max_position_embeddings");
  return context.originalPositions ?? own ?? context.maxPositions;
}

const scaled: Record<
  RopeType,
  (rope: ConfigFields, base: Float32Array, theta: number, context: RopeContext) => Scaled
> = {
  default: (_rope, base) => ({ frequencies: base, scale: 1 }),

  linear: (rope, base) => {
    const factor = rope.number("factor");
    return { frequencies: base.map((frequency) => frequency / factor), scale: 1 };
  },

  dynamic: (rope, base) => {
    rope.ignore("factor", "original_max_position_embeddings");
    return { frequencies: base, scale: 1 };
  },

  // LLaMA 3.1: long waves are stretched, short ones left, those between interpolated.
  llama3: (rope, base, _theta, context) => {
    const factor = rope.number("factor");
    const low = rope.number("low_freq_factor");
    const high = rope.number("high_freq_factor");
    const original = originalPositions(rope, context);
    const frequencies = base.map((frequency) => {
      const wavelength = fround((2 * Math.PI) / frequency);
      if (wavelength < original / high) return frequency;
      if (wavelength > original / low) return frequency / factor;
      const smooth = fround((original / wavelength - low) / (high - low));
      return fround((1 - smooth) * frequency) / factor + smooth * frequency;
    });
    return { frequencies, scale: 1 };
  },

  // Peng et al., 2023 (arXiv 2309.00071), section 3.2 and 3.4.
  yarn: (rope, base, theta, context) => {
    const original = originalPositions(rope, context);
    const factor = rope.optionalNumber("factor") ?? context.maxPositions / original;
    const fast = rope.number("beta_fast", 32);
    const slow = rope.number("beta_slow", 1);
    const width = base.length * 2;
    const truncate = rope.boolean("truncate", true);
    const turning = (turns: number): number =>
      (width * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
    const low = Math.max(truncate ? Math.floor(turning(fast)) : turning(fast), 0);
    const high = Math.min(truncate ? Math.ceil(turning(slow)) : turning(slow), width - 1);
    const span = high === low ? 0.001 : high - low;
    const frequencies = base.map((frequency, i) => {
      const stretched = Math.min(Math.max((i - low) / span, 0), 1);
      return (frequency / factor) * stretched + frequency * (1 - stretched);
    });
    const scale = yarnScale(rope, factor);
    return { frequencies, scale: rope.optionalNumber("attention_factor") ?? scale };
  },

  // Ding et al., 2024 (arXiv 2402.13753), as Phi 3 has it.
  longrope: (rope, base, theta, context) => {
    const pairs = base.length;
    const width = pairs * 2;
    const original = originalPositions(rope, context);
    const factor = rope.optionalNumber("factor") ?? context.maxPositions / original;
    const stretch = (factors: number[]): Float32Array =>
      Float32Array.from(
        factors,
        (each, i) => 1 / fround(fround(each) * fround(theta ** fround((2 * i) / width))),
      );
    return {
      frequencies: stretch(rope.numbers("short_factor", pairs)),
      long: { above: original, frequencies: stretch(rope.numbers("long_factor", pairs)) },
      scale:
        rope.optionalNumber("attention_factor") ??
        (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))),
    };
  },
};

function yarnScale(rope: ConfigFields, factor: number): number {
  const scale = (by: number): number => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  const mscale = rope.optionalNumber("mscale");
  const all = rope.optionalNumber("mscale_all_dim");
  return mscale && all ? scale(mscale) / scale(all) : scale(1);
}

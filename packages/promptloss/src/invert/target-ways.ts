// How a generation ratio is reached: by inverting rows, or by leaving rows out.
export const TARGET_WAYS = ["inverting", "sampling"] as const;

export type TargetWay = (typeof TARGET_WAYS)[number];

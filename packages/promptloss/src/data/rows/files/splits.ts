// Which split each file of a dataset folder belongs to, from names, by the rules of Hugging Face's datasets:
// shards named data/SPLIT-00000-of-00001, then folders, then files with a split's name in them, else all train.

export type Splits = ReadonlyMap<string, readonly string[]>;

const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["validation", "valid", "val", "dev"],
  test: ["test", "testing", "eval", "evaluation"],
};

const SHARD = /^(?:.*\/)?([\w.]+)-\d{5,}-of-\d{5,}[^/]*$/;

/** The paths of each split, in the order of the paths. */
export function inferSplits(paths: readonly string[]): Splits {
  const inShardFolder = paths.filter((path) => path.startsWith("data/"));
  const folder = (path: string): string => path.split("/").slice(0, -1).join("/");
  const file = (path: string): string => path.split("/").at(-1)!;
  const found =
    group(inShardFolder, (path) => SHARD.exec(path)?.[1]) ??
    group(paths, (path) => keywordIn(folder(path))) ??
    group(paths, (path) => keywordIn(file(path)));
  return found ?? new Map([["train", paths]]);
}

function keywordIn(text: string): string | undefined {
  for (const [split, words] of Object.entries(KEYWORDS)) {
    // A name counts where nothing but a separator or a digit stands beside it: not the "test" in "latest".
    const pattern = new RegExp(`(?:^|[._\\- /\\d])(?:${words.join("|")})(?=$|[._\\- /\\d])`, "i");
    if (pattern.test(text)) return split;
  }
  return undefined;
}

function group(
  paths: readonly string[],
  splitOf: (path: string) => string | undefined,
): Map<string, string[]> | undefined {
  const splits = new Map<string, string[]>();
  for (const path of paths) {
    const split = splitOf(path);
    if (split !== undefined) splits.set(split, [...(splits.get(split) ?? []), path]);
  }
  return splits.size === 0 ? undefined : splits;
}

/** Of which a name may speak; beyond, it is a date or the like. */
const MOST_SHARDS = 100_000;

/** Shards whose names count up to a number of which some are missing, as `NAME-00001-of-00004…`. */
export function missingShards(paths: readonly string[]): string[] {
  const missing: string[] = [];
  const present = new Set(paths);
  for (const path of paths) {
    const match = /^(.*-)(\d{5,})(-of-)(\d{5,})(.*)$/.exec(path);
    if (match === null) continue;
    const [, before, first, of, total, after] = match as unknown as string[];
    if (Number(total) > MOST_SHARDS) continue;
    for (let i = 0; i < Number(total); i++) {
      const shard = `${before}${String(i).padStart(first!.length, "0")}${of}${total}${after}`;
      if (!present.has(shard)) missing.push(shard);
    }
  }
  return [...new Set(missing)].sort();
}

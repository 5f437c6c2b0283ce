// Dataset folders: splits by name, data cards, patterns.
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { failure, jsonl, parquet, temporaryFolder } from "../../../../test/row-files.ts";
import { type DataSource, loadExamples } from "../index.ts";
import { inferSplits, missingShards } from "./splits.ts";

/** A folder with these files; a data file's one row is its own path. */
function folder(files: Readonly<Record<string, string>> | readonly string[]): string {
  const root = temporaryFolder();
  const contents: Readonly<Record<string, string | undefined>> = Array.isArray(files)
    ? Object.fromEntries(files.map((path: string) => [path, undefined]))
    : (files as Readonly<Record<string, string>>);
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    const rows = [{ text: path }];
    writeFileSync(join(root, path), content ?? (path.endsWith(".parquet") ? parquet(rows) : jsonl(...rows)));
  }
  return root;
}

async function texts(path: string, source: Omit<DataSource, "path"> = {}): Promise<unknown[]> {
  return (await loadExamples({ path, ...source })).examples.map(
    (example) => example.kind === "text" && example.text,
  );
}

describe("splits by name", () => {
  it.each([
    [["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet", "other.parquet"], "train", 1],
    [["data/my_split-00000-of-00002.parquet", "data/my_split-00001-of-00002.parquet"], "my_split", 2],
    [["train.jsonl", "dev.jsonl", "notes.jsonl"], "validation", 1],
    [["train/a.jsonl", "train/b.jsonl", "eval/a.jsonl"], "train", 2],
    [["my-train-set.jsonl", "latest.jsonl"], "train", 1],
    [["a.jsonl", "latest.jsonl"], "train", 2],
    [["shard_train_0001.json", "shard_val_0001.json"], "validation", 1],
  ])("of %j: %s has %i", (paths, split, count) => {
    expect(inferSplits(paths).get(split)).toHaveLength(count);
  });

  it("missing shards are found", () => {
    expect(missingShards(["data/train-00000-of-00003.parquet", "data/train-00002-of-00003.parquet"])).toEqual(
      ["data/train-00001-of-00003.parquet"],
    );
  });
});

it("a name that speaks of a billion shards is taken for a name", () => {
  expect(missingShards(["data/train-00000-of-99999999999.parquet"])).toEqual([]);
});

describe("files that a split's name leaves out", () => {
  const notes = async (
    files: readonly string[],
    source: Omit<DataSource, "path"> = {},
  ): Promise<string[]> => {
    const path = folder(files);
    const { report } = await loadExamples({ path, ...source });
    return report.notes.map((note) => note.replace(path, "FOLDER"));
  };

  it("are told", async () => {
    expect(await notes(["train.jsonl", "test.jsonl", "extra.jsonl", "more/rows.csv", "license.txt"])).toEqual(
      [
        "FOLDER: 2 data files are not read, as no split's name is in theirs: extra.jsonl, more/rows.csv (files names what to read)",
      ],
    );
    expect(await notes(["train.jsonl", "extra.jsonl"])).toEqual([
      expect.stringContaining("1 data file is not read"),
    ]);
  });

  it("are none where all are in splits, where no name has a split, and where files names them", async () => {
    expect(await notes(["train.jsonl", "test.jsonl", "dataset_infos.json"])).toEqual([]);
    expect(await notes(["a.jsonl", "b.jsonl"])).toEqual([]);
    expect(await notes(["train.jsonl", "extra.jsonl"], { files: "train.jsonl" })).toEqual([]);
  });
});

describe("a folder", () => {
  it("gives its train split, or the one that is named", async () => {
    const path = folder([
      "data/train-00000-of-00001.parquet",
      "data/test-00000-of-00001.parquet",
      "LICENSE.txt",
    ]);
    expect(await texts(path)).toEqual(["data/train-00000-of-00001.parquet"]);
    expect(await texts(`${path}/`, { split: "test" })).toEqual(["data/test-00000-of-00001.parquet"]);
    const error = await failure(loadExamples({ path, split: "validation" }));
    expect(error).toMatchObject({
      reason: "missing-split",
      hint: "Splits: test, train; name one with split.",
    });
  });

  it("gives its only split", async () => {
    expect(await texts(folder(["test.jsonl"]))).toEqual(["test.jsonl"]);
  });

  it("names files as the user can find them", async () => {
    const path = folder(["sub/train.jsonl"]);
    const { examples } = await loadExamples({ path });
    expect(examples[0]!.source).toEqual({ file: `${path}/sub/train.jsonl`, row: 1 });
  });

  it("reads the files that are named", async () => {
    const path = folder(["a.jsonl", "sub/b.jsonl", "sub/c.jsonl"]);
    expect(await texts(path, { files: "sub/*.jsonl" })).toEqual(["sub/b.jsonl", "sub/c.jsonl"]);
    expect(await texts(path, { files: ["sub/c.jsonl", "a.jsonl"] })).toEqual(["sub/c.jsonl", "a.jsonl"]);
    expect(await failure(loadExamples({ path, files: "x*" }))).toMatchObject({ reason: "missing-file" });
    expect(await failure(loadExamples({ path, files: "a*", split: "train" }))).toMatchObject({
      field: "files",
    });
  });

  it("with a shard missing is an error", async () => {
    const error = await failure(loadExamples({ path: folder(["train-00000-of-00002.jsonl"]) }));
    expect(error).toMatchObject({ reason: "missing-file", hint: "Missing: train-00001-of-00002.jsonl." });
  });

  it("that save_to_disk wrote is an error that says so", async () => {
    const error = await failure(
      loadExamples({ path: folder({ "data-00000-of-00001.arrow": "x", "state.json": "{}" }) }),
    );
    expect(error).toMatchObject({ reason: "missing-file", hint: expect.stringContaining("to_parquet") });
  });

  it("is read without its hidden files", async () => {
    expect(await texts(folder(["train.jsonl", ".cache/train.jsonl", ".train.jsonl"]))).toEqual([
      "train.jsonl",
    ]);
  });

  it("pattern: the files that match, sorted", async () => {
    const path = folder(["b.jsonl", "a.jsonl", "a.txt", "sub/c.jsonl"]);
    expect(await texts(`${path}/*.jsonl`)).toEqual(["a.jsonl", "b.jsonl"]);
    expect(await texts(`${path}/**/*.jsonl`)).toEqual(["a.jsonl", "b.jsonl", "sub/c.jsonl"]);
  });
});

describe("a hostile data card", () => {
  const laughs = Array.from({ length: 40 }, (_, i) => {
    const before = i === 0 ? '"lol"' : `*a${i - 1}`;
    return `a${i}: &a${i} [${Array(10).fill(before).join(", ")}]`;
  }).join("\n");

  it.each([
    ["aliases of aliases", `${laughs}\nconfigs: *a39`],
    ["brackets without end", `configs: ${"[".repeat(50_000)}`],
  ])("is refused: %s", async (_, yaml) => {
    const path = folder({ "README.md": `---\n${yaml}\n---\n`, "train.jsonl": jsonl({ text: "a" }) });
    const error = await failure(loadExamples({ path }));
    expect([error.reason, error.file]).toEqual(["unreadable", `${path}/README.md`]);
  });

  it("is refused unread: of any size", async () => {
    const path = folder({ "README.md": "---\nlicense: mit\n---\n", "train.jsonl": jsonl({ text: "a" }) });
    // Sparse: it takes no room on the disk.
    truncateSync(join(path, "README.md"), 2 ** 33);
    const error = await failure(loadExamples({ path }));
    expect([error.reason, error.file]).toEqual(["unreadable", `${path}/README.md`]);
    expect(error.message).toContain(`has ${2 ** 33} bytes, and at most ${8 << 20} are read of it`);
  });
});

describe("a data card", () => {
  const card = (configs: string): string => `---\nlicense: mit\nconfigs:\n${configs}---\n# A dataset\n`;
  const files = {
    "x.jsonl": jsonl({ text: "x" }),
    "y/1.jsonl": jsonl({ text: "y1" }),
    "y/2.jsonl": jsonl({ text: "y2" }),
  };

  it.each([
    ["a mapping", "- config_name: default\n  data_files:\n    train: x.jsonl\n    test: y/*.jsonl\n"],
    [
      "a list",
      '- config_name: default\n  data_files:\n  - split: train\n    path: x.jsonl\n  - split: test\n    path:\n    - "y/*"\n',
    ],
  ])("says which files are which split: %s", async (_, configs) => {
    const path = folder({ ...files, "README.md": card(configs) });
    expect(await texts(path)).toEqual(["x"]);
    expect(await texts(path, { split: "test" })).toEqual(["y1", "y2"]);
  });

  it.each([
    ["a pattern", '- data_files: "y/*.jsonl"\n'],
    ["patterns", "- data_files:\n  - y/1.jsonl\n  - y/2.jsonl\n"],
    ["a folder", "- data_dir: y\n"],
  ])("that gives %s means train", async (_, configs) => {
    expect(await texts(folder({ ...files, "README.md": card(configs) }))).toEqual(["y1", "y2"]);
  });

  it("with several configurations: the default, the named, or an error", async () => {
    const two = (mark: string): string =>
      card(`- config_name: one\n  data_files: x.jsonl\n- config_name: two\n${mark}  data_files: y/*\n`);
    const marked = folder({ ...files, "README.md": two("  default: true\n") });
    expect(await texts(marked)).toEqual(["y1", "y2"]);
    expect(await texts(marked, { config: "one" })).toEqual(["x"]);
    const unmarked = folder({ ...files, "README.md": two("") });
    expect(await failure(loadExamples({ path: unmarked }))).toMatchObject({
      reason: "missing-split",
      hint: "Name one with config: one, two.",
    });
    expect(await failure(loadExamples({ path: unmarked, config: "ono" }))).toMatchObject({
      hint: 'Did you mean "one"?',
    });
  });

  it("without configs, or that names what isn't there, or is broken", async () => {
    expect(await texts(folder({ ...files, "README.md": "---\nlicense: mit\n---\n" }))).toHaveLength(3);
    const absent = folder({ ...files, "README.md": card("- data_files: z.jsonl\n") });
    expect(await failure(loadExamples({ path: absent }))).toMatchObject({ reason: "missing-file" });
    const broken = folder({ ...files, "README.md": "---\n{ a: [\n---\n" });
    expect(await failure(loadExamples({ path: broken }))).toMatchObject({ reason: "unreadable" });
  });
});

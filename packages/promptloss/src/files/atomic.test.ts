import fs, {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processTag } from "@promptloss/torch/files";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  draftOf,
  makeFolder,
  readJson,
  removeDrafts,
  replaceFile,
  replaceFileWith,
  replaceFolder,
  restoreFolders,
  writeJson,
} from "./atomic.ts";
import { OutputError } from "./errors.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function at(...parts: string[]): string {
  return join(folder, ...parts);
}
function text(...parts: string[]): string {
  return readFileSync(at(...parts), "utf8");
}

function failure(act: () => unknown): OutputError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(OutputError);
    return error as OutputError;
  }
  throw new Error("it was written");
}

describe("replaceFile", () => {
  test("replaces the content, makes folders, keeps the rights, leaves nothing beside it", () => {
    replaceFile(at("new", "file"), "one");
    chmodSync(at("new", "file"), 0o600);
    replaceFile(at("new", "file"), new TextEncoder().encode("two"));
    expect([text("new", "file"), readdirSync(at("new"))]).toEqual(["two", ["file"]]);
    expect(statSync(at("new", "file")).mode & 0o777).toBe(0o600);
  });

  test("a failed write leaves the old content, and nothing beside it", async () => {
    replaceFile(at("file"), "old");
    const broken = new Error("no more rows");
    const fail = (): never => {
      throw broken;
    };
    expect(() => replaceFile(at("file"), fail)).toThrow(broken);
    await expect(
      replaceFileWith(at("file"), async (draft) => {
        writeFileSync(draft, "half");
        fail();
      }),
    ).rejects.toThrow(broken);
    expect([text("file"), readdirSync(folder)]).toEqual(["old", ["file"]]);
  });

  test("a symbolic link stays, a device is written to", () => {
    writeFileSync(at("target"), "");
    symlinkSync(at("target"), at("link"));
    replaceFile(at("link"), "x");
    expect([lstatSync(at("link")).isSymbolicLink(), text("target")]).toEqual([true, "x"]);
    replaceFile("/dev/null", "x");
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});

describe("replaceFolder", () => {
  const fill = (name: string) => (draft: string) => writeFileSync(join(draft, name), name);

  test("is the new folder whole, or the old one", () => {
    replaceFolder(at("model"), fill("a"));
    replaceFolder(at("model"), fill("b"));
    expect([readdirSync(at("model")), readdirSync(folder)]).toEqual([["b"], ["model"]]);
    const fail = (draft: string): never => {
      fill("c")(draft);
      throw new Error("interrupted");
    };
    expect(() => replaceFolder(at("model"), fail)).toThrow("interrupted");
    expect([readdirSync(at("model")), readdirSync(folder)]).toEqual([["b"], ["model"]]);
  });
});

describe("restoreFolders", () => {
  /** Leaves a folder as a process does that dies after it moved the old one aside. */
  function dieBetweenRenames(): void {
    const { renameSync } = fs;
    let renames = 0;
    fs.renameSync = (from, to) => {
      if (renames++ > 0) throw new Error("died");
      renameSync(from, to);
    };
    syncBuiltinESMExports();
    try {
      expect(() => replaceFolder(at("model"), (draft) => writeFileSync(join(draft, "b"), ""))).toThrow(
        "died",
      );
    } finally {
      fs.renameSync = renameSync;
      syncBuiltinESMExports();
    }
  }

  test("a folder that was moved aside by a process that died stands again", () => {
    replaceFolder(at("model"), (draft) => writeFileSync(join(draft, "a"), "a"));
    dieBetweenRenames();
    expect(existsSync(at("model"))).toBe(false);
    // This process lives: for all that others can see, it is about to put the new folder there.
    restoreFolders(folder);
    expect(existsSync(at("model"))).toBe(false);
    restoreFolders(folder, () => true);
    expect([text("model", "a"), readdirSync(folder)]).toEqual(["a", ["model"]]);
  });

  test("dead processes are told by the name, and what stands is left alone", () => {
    const dead = `${processTag().split("-")[0]}-999999999-`;
    for (const [name, content] of [
      ["gone", "old"],
      ["stands", "older"],
    ] as const) {
      const aside = at(`.${name}.aside-${dead}.0123456789ab.draft`);
      mkdirSync(aside);
      writeFileSync(join(aside, "a"), content);
    }
    mkdirSync(at("stands"));
    restoreFolders(folder);
    expect(text("gone", "a")).toBe("old");
    expect(readdirSync(at("stands"))).toEqual([]);
    // A new one in its place finds the old one first.
    rmSync(at("stands"), { recursive: true });
    expect(() =>
      replaceFolder(at("stands"), () => {
        throw new Error("no room");
      }),
    ).toThrow("no room");
    expect(text("stands", "a")).toBe("older");
  });
});

describe("removeDrafts", () => {
  test("clears what dead processes left, not what is new or no draft", () => {
    const [old, fresh] = [draftOf(at("a")), draftOf(at("b"))];
    for (const path of [old, fresh, at(".a.draft"), at("a")]) writeFileSync(path, "");
    for (const path of [old, at(".a.draft"), at("a")]) utimesSync(path, 1, 1);
    removeDrafts(folder);
    expect(readdirSync(folder).sort()).toEqual([".a.draft", "a", fresh.slice(folder.length + 1)].sort());
    removeDrafts(folder, 0);
    expect(readdirSync(folder).sort()).toEqual([".a.draft", "a"]);
  });
});

describe("what the system refuses", () => {
  test("a file in the way, at the place or above it", () => {
    writeFileSync(at("file"), "");
    expect(failure(() => makeFolder(at("file"))).message).toBe(
      `${at("file")}: is a file, and a folder is needed`,
    );
    const below = failure(() => replaceFile(at("file", "deep", "er"), ""));
    expect(below.message).toBe(`${at("file", "deep")}: ${at("file")} is a file, and a folder is needed`);
    expect(below.hint).toBeDefined();
  });

  test("a folder where a file should be", () => {
    mkdirSync(at("place"));
    expect(failure(() => replaceFile(at("place"), "")).message).toBe(
      `${at("place")}: is a folder, and a file is to be written`,
    );
  });

  test("a place that is read-only", () => {
    // /proc takes no folders from anyone, root included.
    const { message, hint } = failure(() => replaceFile("/proc/promptloss/file", ""));
    expect(message).toMatch(
      /^\/proc\/promptloss: (the system makes no|you may not write here|the file system is)/,
    );
    expect(hint).toContain("name another output");
  });
});

describe("JSON", () => {
  test("is read back; a missing or damaged file is undefined", () => {
    writeJson(at("a.json"), { a: [1] });
    expect(readJson(at("a.json"))).toEqual({ a: [1] });
    writeFileSync(at("b.json"), "{");
    expect([readJson(at("b.json")), readJson(at("c.json")), readJson(at("a.json", "d"))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

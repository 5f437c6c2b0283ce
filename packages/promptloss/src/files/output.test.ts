import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkOutputFile, checkOutputFolder, protectInputs } from "./output.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "output-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function at(...parts: string[]): string {
  return join(folder, ...parts);
}

describe("protectInputs", () => {
  const file = (...parts: string[]): string => {
    mkdirSync(at(...parts.slice(0, -1)), { recursive: true });
    writeFileSync(at(...parts), "x");
    return at(...parts);
  };
  const refused = (written: string, path: string, grows = false): boolean => {
    try {
      protectInputs([written], [{ what: "data", path, grows }]);
      return false;
    } catch (error) {
      expect((error as Error).message).toMatch(/: would (overwrite|be written into) data, /);
      return true;
    }
  };

  test("the same place, and an input inside what is written", () => {
    const data = file("run", "model", "data.json");
    expect(refused(data, data)).toBe(true);
    expect(refused(at("run", "model"), data)).toBe(true);
    expect(refused(at("run", "..", "run"), data)).toBe(true);
    expect(refused(at("run", "mod"), data)).toBe(false);
    expect(refused(at("run", "checkpoints"), data)).toBe(false);
  });

  test("an output inside a folder of data, which would be data the next time", () => {
    file("data", "a.json");
    expect(refused(at("data", "run", "metrics.jsonl"), at("data"), true)).toBe(true);
    expect(refused(at("data", "run", "metrics.jsonl"), at("data"))).toBe(false);
  });

  test("links of both kinds, at the place or on the way there", () => {
    const data = file("base", "data.json");
    symlinkSync(at("base"), at("link"));
    expect(refused(at("link", "data.json"), data)).toBe(true);
    expect(refused(at("link"), data)).toBe(true);
    // What does not exist yet, behind a link.
    expect(refused(at("link", "new", "file"), at("base"), true)).toBe(true);
    linkSync(data, at("hard.json"));
    expect(refused(at("hard.json"), data)).toBe(true);
  });

  test("an input that is not there is no matter", () => {
    expect(refused(at("a"), at("a"))).toBe(false);
  });
});

describe("checkOutputFolder and checkOutputFile", () => {
  test("take what exists or can be made", () => {
    checkOutputFolder(folder);
    checkOutputFolder(at("a", "b"));
    checkOutputFile(at("a", "b"));
    checkOutputFile("/dev/null");
  });

  test("refuse a file where a folder is needed, below one, and the other way round", () => {
    writeFileSync(at("file"), "");
    expect(() => checkOutputFolder(at("file"))).toThrow(`${at("file")}: is a file, and a folder is needed`);
    expect(() => checkOutputFolder(at("file", "run"))).toThrow(`${at("file")} is a file, and a folder`);
    expect(() => checkOutputFile(at("file", "a", "b.json"))).toThrow(`${at("file")} is a file, and a folder`);
    expect(() => checkOutputFile(folder)).toThrow(`${folder}: is a folder, and a file is to be written`);
  });
});

import { utimesSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { isUpToDate, parseDependencies, recordInputs } from "./inputs.ts";

describe("parseDependencies", () => {
  it("reads what compilers write", () => {
    expect(parseDependencies("a.o: src/a.cpp \\\n  src/a.h src/with\\ space.h\n")).toEqual([
      "src/a.cpp",
      "src/a.h",
      "src/with space.h",
    ]);
    expect(parseDependencies("a.o:\n")).toEqual([]);
  });

  it("gives back any paths that were escaped as make wants it", () => {
    const path = fc.stringMatching(/^[\w./$# -]*[\w/$#]$/).filter((text) => !text.startsWith(" "));
    fc.assert(
      fc.property(fc.array(path, { minLength: 1 }), (paths) => {
        const escaped = paths.map((name) => name.replaceAll("$", "$$$$").replaceAll(/[ #]/g, "\\$&"));
        expect(parseDependencies(`x.o: ${escaped.join(" \\\n ")}\n`)).toEqual(paths);
      }),
    );
  });
});

describe("isUpToDate", () => {
  const command = ["c++", "-c"];
  const started = (): number => Date.now() + 1000;

  it("compares size and time first, and content where the time differs", () => {
    const folder = temporaryFolder();
    const input = write(join(folder, "a.cpp"), "one");
    const output = write(join(folder, "a.o"));
    expect(isUpToDate(output, command)).toBe(false);
    recordInputs(output, command, [input], started());
    expect(isUpToDate(output, command)).toBe(true);
    expect(isUpToDate(output, [...command, "-g"])).toBe(false);
    utimesSync(input, 1, 1);
    expect(isUpToDate(output, command)).toBe(true);
    write(input, "two");
    expect(isUpToDate(output, command)).toBe(false);
  });

  it("does not trust a file that changed during the build, nor a stamp that is not whole", () => {
    const folder = temporaryFolder();
    const input = write(join(folder, "a.cpp"), "one");
    const output = write(join(folder, "a.o"));
    recordInputs(output, command, [input], Date.now() - 1000);
    expect(isUpToDate(output, command)).toBe(false);
    recordInputs(output, command, [input], started());
    expect(isUpToDate(output, command)).toBe(true);
    write(`${output}.stamp.json`, '{"command":');
    expect(isUpToDate(output, command)).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { bareMachine, fakeProgram, temporaryFolder } from "../../test/setup/fake-libtorch.ts";
import { findCompiler } from "./compiler.ts";
import { CompilerNotFoundError } from "./errors.ts";

describe("findCompiler", () => {
  it("takes CXX with its arguments, then c++, g++, clang++", async () => {
    const folder = temporaryFolder();
    fakeProgram(folder, "clang++", "echo 'Debian clang version 14.0.6'; echo more");
    expect(await findCompiler(bareMachine(folder))).toEqual({
      command: ["clang++"],
      family: "clang",
      version: "Debian clang version 14.0.6",
    });
    fakeProgram(folder, "c++", "exit 1");
    fakeProgram(folder, "g++", "echo 'g++ (Debian 12.2.0) 12.2.0'");
    expect(await findCompiler(bareMachine(folder))).toMatchObject({ command: ["g++"], family: "gcc" });
    fakeProgram(folder, "ccache", 'echo "$1 $2"');
    const machine = bareMachine(folder, { env: { CXX: "ccache  g++-13" } });
    expect(await findCompiler(machine)).toMatchObject({
      command: ["ccache", "g++-13"],
      version: "g++-13 --version",
    });
  });

  it.each([
    [
      "linux",
      /^install one: sudo apt-get install g\+\+ \(Debian, Ubuntu\), sudo dnf install gcc-c\+\+ \(Fedora\)/,
    ],
    ["darwin", /^install Apple's command line tools: xcode-select --install$/],
    ["win32", /WSL 2/],
  ] as const)("says what to install on %s", async (platform, hint) => {
    const error = await findCompiler(bareMachine(temporaryFolder(), { platform })).catch(
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(CompilerNotFoundError);
    expect(error).toMatchObject({
      message: "there is no C++ compiler: c++, g++, clang++ do not answer",
      hint: expect.stringMatching(hint),
    });
  });

  it("tries nothing else than CXX where it is set", async () => {
    const folder = temporaryFolder();
    fakeProgram(folder, "g++", "echo 12");
    await expect(findCompiler(bareMachine(folder, { env: { CXX: "icpx" } }))).rejects.toThrow(
      "CXX names a compiler that does not answer: icpx",
    );
  });
});

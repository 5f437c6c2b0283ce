import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bareMachine, fakeLibtorch, fakeProgram, temporaryFolder } from "../../test/setup/fake-libtorch.ts";
import { PythonTorchNotFoundError } from "./errors.ts";
import { findPython, libtorchOfPython } from "./python.ts";

describe("libtorchOfPython", () => {
  it("asks python3 and then python", async () => {
    const folder = temporaryFolder();
    const root = fakeLibtorch(join(folder, "site/torch"), "2.11.0");
    fakeProgram(folder, "python3", "echo");
    fakeProgram(folder, "python", `echo ${root}`);
    expect(await libtorchOfPython(bareMachine(folder))).toMatchObject({ root, origin: "python" });
  });

  it("asks PROMPTLOSS_PYTHON alone, and says that it has none", async () => {
    const folder = temporaryFolder();
    const root = fakeLibtorch(join(folder, "site/torch"), "2.11.0");
    fakeProgram(folder, "python3", `echo ${root}`);
    const other = fakeProgram(folder, "other", "echo");
    const asking = libtorchOfPython(bareMachine(folder, { env: { PROMPTLOSS_PYTHON: other } }));
    await expect(asking).rejects.toThrow(PythonTorchNotFoundError);
    await expect(asking).rejects.toThrow(`LIBTORCH_USE_PYTORCH is set, but ${other} has no torch`);
  });

  it("says so when there is no Python", async () => {
    await expect(libtorchOfPython(bareMachine(temporaryFolder()))).rejects.toMatchObject({
      message: "LIBTORCH_USE_PYTORCH is set, but python3 and python have no torch",
      asked: ["python3", "python"],
      hint: "install torch there, or name an interpreter that has it with PROMPTLOSS_PYTHON",
    });
  });
});

describe("findPython", () => {
  it("passes over Python 2", async () => {
    const folder = temporaryFolder();
    fakeProgram(folder, "python3", "exit 1");
    fakeProgram(folder, "python", "echo 2.7");
    expect(await findPython(bareMachine(folder))).toBeUndefined();
    fakeProgram(folder, "python", "echo 3.12");
    expect(await findPython(bareMachine(folder))).toEqual({ command: "python", version: "3.12" });
  });
});

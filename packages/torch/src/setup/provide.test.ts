import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  bareMachine,
  fakeLibtorch,
  fakeProgram,
  noMirror,
  temporaryFolder,
  write,
} from "../../test/setup/fake-libtorch.ts";
import type { Machine } from "../machine.ts";
import { LibtorchNotFoundError } from "./errors.ts";
import { recentFailure, recordFailure } from "./fetch-record.ts";
import { fetchWheel } from "./fetch-wheel.ts";
import { provideLibtorch } from "./provide.ts";

// A Python whose pip notes that it was called and does `pip`, with "$target" being the folder to install into.
function fakePython(folder: string, pip: string, version = "3.11"): void {
  fakeProgram(
    folder,
    "python3",
    `if [ "$1" = -c ]; then echo ${version}; exit; fi
echo "$*" >>${folder}/pip-calls
target=$(echo "$*" | sed 's/.*--target \\([^ ]*\\).*/\\1/')
${pip}`,
  );
}

function pipCalls(folder: string): number {
  return existsSync(join(folder, "pip-calls"))
    ? readFileSync(join(folder, "pip-calls"), "utf8").trim().split("\n").length
    : 0;
}

const WHEEL = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl";

const NONE = 'echo "ERROR: No matching distribution found for torch" >&2; exit 1';

/** A pip that installs a copy of a fake libtorch, with a library that is not kept. */
function installingPip(folder: string, version = "2.13.0"): string {
  const wheel = fakeLibtorch(join(folder, "wheel/torch"), version, { extraLibraries: ["libtorch_python"] });
  write(join(folder, `wheel/torch-${version}.dist-info/licenses/LICENSE`), "a license");
  write(join(wheel, "nn/module.py"));
  return `echo "Collecting torch"; echo "  Downloading torch.whl (191.8 MB)"; mkdir -p $target; cp -r ${folder}/wheel/. $target`;
}

describe("provideLibtorch", () => {
  it("goes by the order: named, cached, the system's 2.x", async () => {
    const folder = temporaryFolder();
    fakePython(folder, NONE);
    const cached = fakeLibtorch(join(folder, "home/.cache/promptloss/libtorch/2.13.0/torch"), "2.13.0");
    const named = fakeLibtorch(join(folder, "mine"), "2.1.0");
    fakeLibtorch(join(folder, "usr"), "2.14.0");
    const origins = async (env: Record<string, string>): Promise<string> =>
      (await provideLibtorch(bareMachine(folder, { env }))).libtorch.root;
    expect(await origins({ LIBTORCH: named })).toBe(named);
    expect(await origins({})).toBe(cached);
    expect(await origins({ PROMPTLOSS_CACHE: join(folder, "empty") })).toBe(join(folder, "usr"));
    expect(pipCalls(folder)).toBe(0);
  });

  it("never falls through what the user named", async () => {
    const folder = temporaryFolder();
    fakeLibtorch(join(folder, "usr"), "2.14.0");
    await expect(provideLibtorch(bareMachine(folder, { env: { LIBTORCH: "/nowhere" } }))).rejects.toThrow(
      "/nowhere",
    );
    await expect(
      provideLibtorch(bareMachine(folder, { env: { LIBTORCH_USE_PYTORCH: "1" } })),
    ).rejects.toThrow("no torch");
  });

  it("fetches the wheel and keeps libraries, headers and licenses", async () => {
    const folder = temporaryFolder();
    fakePython(folder, installingPip(folder));
    const lines: string[] = [];
    const { libtorch, remark } = await provideLibtorch(bareMachine(folder), {
      log: (line) => lines.push(line),
    });
    const root = join(folder, "home/.cache/promptloss/libtorch/2.13.0/torch");
    expect(libtorch).toMatchObject({ root, origin: "cache", version: "2.13.0" });
    expect(remark).toBeUndefined();
    expect(readdirSync(root).sort()).toEqual(["include", "lib", "share"]);
    expect(readdirSync(join(root, "lib"))).not.toContain("libtorch_python.so");
    expect(existsSync(join(root, "../torch-2.13.0.dist-info/licenses/LICENSE"))).toBe(true);
    expect(readdirSync(join(root, "../.."))).toEqual(["2.13.0"]);
    expect(lines).toEqual([
      "asking pip for torch==2.13.0+cpu",
      "pip has it: fetching libtorch 2.13.0, 191.8 MB",
    ]);
    await provideLibtorch(bareMachine(folder));
    expect(pipCalls(folder)).toBe(1);
  });

  it("prefers the wheel to the system's 1.13, and uses that where there is no wheel", async () => {
    const folder = temporaryFolder();
    fakeLibtorch(join(folder, "usr"), "1.13.0");
    fakePython(folder, NONE);
    const first = await provideLibtorch(bareMachine(folder));
    expect(first.libtorch).toMatchObject({ version: "1.13.0", origin: "system" });
    expect(first.remark).toBe(
      `libtorch 2.13.0 would be faster, but there is no ${noMirror(folder)}/${WHEEL}, and pip's index has no torch==2.13.0+cpu for this machine`,
    );
    const second = await provideLibtorch(bareMachine(folder));
    expect(second.libtorch.version).toBe("1.13.0");
    expect(second.remark).toMatch(/asked again after a day/);
    expect(pipCalls(folder)).toBe(1);
    await provideLibtorch(bareMachine(folder), { retryFetch: true });
    expect(pipCalls(folder)).toBe(2);
    await provideLibtorch(bareMachine(folder, { env: { PIP_EXTRA_INDEX_URL: "another" } }));
    expect(pipCalls(folder)).toBe(3);
    fakePython(folder, installingPip(folder));
    expect((await provideLibtorch(bareMachine(folder), { retryFetch: true })).libtorch.version).toBe(
      "2.13.0",
    );
  });

  it("fetches nothing under PROMPTLOSS_OFFLINE", async () => {
    const folder = temporaryFolder();
    fakePython(folder, installingPip(folder));
    const machine = bareMachine(folder, { env: { PROMPTLOSS_OFFLINE: "1" } });
    await expect(provideLibtorch(machine)).rejects.toThrow("PROMPTLOSS_OFFLINE is set: nothing was fetched");
    fakeLibtorch(join(folder, "usr"), "1.13.0");
    expect((await provideLibtorch(machine)).libtorch.version).toBe("1.13.0");
    expect(pipCalls(folder)).toBe(0);
  });

  it("installs Debian's package as root where pip has no wheel, updating apt's lists first where needed", async () => {
    const folder = temporaryFolder();
    fakePython(folder, NONE);
    const debian = fakeLibtorch(join(folder, "debian"), "1.13.0");
    fakeProgram(
      folder,
      "apt-cache",
      `if [ -e ${folder}/updated ]; then echo "  Candidate: 1.13.1+dfsg-4"; else echo "  Candidate: (none)"; fi`,
    );
    fakeProgram(
      folder,
      "apt-get",
      `echo "$1" >>${folder}/apt-calls
case $1 in update) touch ${folder}/updated;; install) cp -r ${debian} ${folder}/usr;; esac`,
    );
    await expect(provideLibtorch(bareMachine(folder))).rejects.toThrow("apt-get needs root");
    const { libtorch } = await provideLibtorch(bareMachine(folder, { isRoot: true }));
    expect(libtorch).toMatchObject({ version: "1.13.0", origin: "system" });
    expect(readFileSync(join(folder, "apt-calls"), "utf8").split("\n")).toEqual([
      ...["--version", "--version", "update", "--simulate", "install", ""],
    ]);
  });

  it("says what apt-get installs, a fast BLAS with it, and asks none where PROMPTLOSS_NO_APT is set", async () => {
    const folder = temporaryFolder();
    fakePython(folder, NONE);
    const debian = fakeLibtorch(join(folder, "debian"), "1.13.0");
    fakeProgram(folder, "apt-cache", 'echo "  Candidate: 1.0"');
    fakeProgram(
      folder,
      "apt-get",
      `echo "$*" >>${folder}/apt-calls
case $1 in
  --simulate) echo "Inst libtorch1.13 (1.13.1)"; echo "Inst libtorch-dev (1.13.1)"; echo "Inst libopenblas0-pthread (0.3)";;
  install) cp -r ${debian} ${folder}/usr;;
esac`,
    );
    const forbidden = bareMachine(folder, { isRoot: true, env: { PROMPTLOSS_NO_APT: "1" } });
    await expect(provideLibtorch(forbidden)).rejects.toThrow(
      "PROMPTLOSS_NO_APT is set: apt-get was not asked",
    );
    expect(existsSync(join(folder, "apt-calls"))).toBe(false);
    const lines: string[] = [];
    await provideLibtorch(bareMachine(folder, { isRoot: true }), { log: (line) => lines.push(line) });
    expect(lines.slice(-2)).toEqual([
      "apt-get installs libtorch-dev and libopenblas0-pthread (PROMPTLOSS_NO_APT=1 forbids it)",
      "  with what they need: libtorch1.13 libtorch-dev libopenblas0-pthread",
    ]);
    expect(readFileSync(join(folder, "apt-calls"), "utf8")).toContain(
      "install --yes --no-install-recommends libtorch-dev libopenblas0-pthread\n",
    );
  });

  it("lists every way when there is none", async () => {
    const folder = temporaryFolder();
    const message = async (machine: Machine): Promise<string> => {
      const error = await provideLibtorch(machine).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(LibtorchNotFoundError);
      return (error as Error).message.replaceAll(folder, "");
    };
    expect(await message(bareMachine(folder))).toMatchInlineSnapshot(`
      "no libtorch was found
        - there is no /no-mirror/torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl
        - there is no Python 3 to run pip with
        - there is no apt-get

      Ways to get one:
        1. let set-up fetch PyTorch's CPU wheel, from a mirror or through pip (needs Python 3 with pip)
             PROMPTLOSS_LIBTORCH_URL=<an address or a folder> npm run setup -- --fetch
             where torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl lies
             PIP_EXTRA_INDEX_URL=<index> npm run setup -- --fetch
             where pip's own index has no torch==2.13.0+cpu: PyTorch's "get started" page, with
             Pip and CPU chosen, shows the <index> to put there
        2. use the torch that your Python has, with CUDA if it has that
             LIBTORCH_USE_PYTORCH=1 PROMPTLOSS_PYTHON=<its python3> npm run setup
        3. use a libtorch of your own: download "LibTorch" from PyTorch's "get started" page and unpack it
             LIBTORCH=<the folder with include/ and lib/> npm run setup
             or put that folder at /home/.cache/promptloss/libtorch/2.13.0, where every run finds it
        4. use the distribution's (1.13 on Debian 12; it works, and is slower)
             sudo apt-get install libtorch-dev libopenblas0-pthread && npm run setup"
    `);
    expect(await message(bareMachine(folder, { platform: "darwin" }))).toMatchInlineSnapshot(`
      "no libtorch was found
        - PyTorch has no wheel for darwin-x64
        - there is no Python 3 to run pip with

      Ways to get one:
        1. let set-up fetch PyTorch's CPU wheel, from a mirror or through pip (needs Python 3 with pip)
             PROMPTLOSS_LIBTORCH_URL=<an address or a folder> npm run setup -- --fetch
        2. use the torch that your Python has, with CUDA if it has that
             LIBTORCH_USE_PYTORCH=1 PROMPTLOSS_PYTHON=<its python3> npm run setup
        3. use a libtorch of your own: download "LibTorch" from PyTorch's "get started" page and unpack it
             LIBTORCH=<the folder with include/ and lib/> npm run setup
             or put that folder at /home/Library/Caches/promptloss/libtorch/2.13.0, where every run finds it
        4. use Homebrew's
             brew install pytorch && npm run setup"
    `);
  });
});

describe("fetchWheel", () => {
  it.each([
    ["exec sleep 30", /pip found no torch==2\.13\.0\+cpu within 0\.3 s/],
    ['echo "/usr/bin/python3: No module named pip" >&2; exit 1', "this Python has no pip"],
    [
      'echo "ERROR: Could not find a version (from versions: none)" >&2; exit 1',
      /pip's index has no torch==2.13.0/,
    ],
    [
      'echo "WARNING: x" >&2; echo "ERROR: the disk is on fire" >&2; exit 2',
      "pip failed: the disk is on fire",
    ],
    ["mkdir -p $target/torch/lib", /could not be unpacked.*is no libtorch/],
  ])("gives a reason when pip does: %s", async (pip, reason) => {
    const folder = temporaryFolder();
    fakePython(folder, pip);
    const result = await fetchWheel(bareMachine(folder), { patience: 300 });
    expect(result).toMatchObject({ libtorch: undefined });
    expect(result).toHaveProperty("reasons", expect.arrayContaining([expect.stringMatching(reason)]));
    expect(readdirSync(join(folder, "home/.cache/promptloss/libtorch"))).toEqual([]);
  });

  it("has no limit once pip has found the wheel", async () => {
    const folder = temporaryFolder();
    fakePython(folder, `echo "  Downloading torch.whl (191.8 MB)"; sleep 1; ${installingPip(folder)}`);
    expect(await fetchWheel(bareMachine(folder), { patience: 300 })).toMatchObject({
      libtorch: { version: "2.13.0" },
    });
  });

  it("asks for another Python's wheel where the user's is too old for PyTorch", async () => {
    const folder = temporaryFolder();
    fakePython(folder, installingPip(folder), "3.9");
    await fetchWheel(bareMachine(folder));
    expect(readFileSync(join(folder, "pip-calls"), "utf8")).toContain(" --python-version=3.12 ");
  });

  it("removes what a killed fetch left, and replaces a copy that is not whole", async () => {
    const folder = temporaryFolder();
    const cache = join(folder, "home/.cache/promptloss/libtorch");
    // Above the largest process id of Linux, hence of no process.
    write(join(cache, ".fetch-4999999-abc/site/torch/part"));
    write(join(cache, "2.13.0/torch/lib/part"));
    fakePython(folder, installingPip(folder));
    expect(await fetchWheel(bareMachine(folder))).toMatchObject({ libtorch: { version: "2.13.0" } });
    expect(readdirSync(cache)).toEqual(["2.13.0"]);
    expect(existsSync(join(cache, "2.13.0/torch/lib/part"))).toBe(false);
  });
});

describe("recentFailure", () => {
  it("holds for a day, and for the same settings", () => {
    const folder = temporaryFolder();
    const machine = bareMachine(folder);
    recordFailure(machine, "a reason", 1_000);
    expect(recentFailure(machine, 2_000)).toBe("a reason");
    expect(recentFailure(machine, 1_000 + 25 * 3600 * 1000)).toBeUndefined();
    expect(recentFailure(bareMachine(folder, { env: { PIP_INDEX_URL: "x" } }), 2_000)).toBeUndefined();
    recordFailure(machine, undefined);
    expect(recentFailure(machine, 2_000)).toBeUndefined();
  });
});

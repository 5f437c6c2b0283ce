// What some tests need beyond this repository and its set-up. Where it isn't there they are skipped, and say why.
// REQUIRE_ALL=1 makes that a failure for all that a machine can be given; REQUIRE_ALL=chromium,python for what it
// lists, hardware too. A machine for continuous integration names what it was given, so that no test goes missing.
import { describe, test } from "vitest";

const NEEDS = {
  shared: { what: "data and models beside the repository, in ../shared or PROMPTLOSS_SHARED" },
  chromium: { what: "Chromium, at its usual place or in CHROMIUM" },
  slurm: { what: "Slurm; on Debian: apt-get install slurm-wlm slurmdbd mariadb-server" },
  llamaCpp: {
    what: "llama.cpp: node-llama-cpp 3.21.1 installed in the folder PROMPTLOSS_LLAMA_CPP, and the shared models",
  },
  python: { what: "a Python with the packages that the test names, python3 or PROMPTLOSS_PYTHON" },
  wheel: {
    what: "Linux x64 and a pip that has PyTorch's CPU wheel of Python 3.11 in a folder of wheels",
    isMachine: true,
  },
  cuda: { what: "a GPU of NVIDIA's and a libtorch with CUDA", isMachine: true },
  libtorch2: { what: "libtorch 2, whose addcmul takes several dtypes on the CPU too", isMachine: true },
  cpuOnly: { what: "a libtorch without CUDA", isMachine: true },
  avx512: { what: "a processor with AVX-512 bf16", isMachine: true },
  avx2: { what: "a processor with AVX2", isMachine: true },
  linux: { what: "Linux", isMachine: true },
  glibc: { what: "Linux with glibc", isMachine: true },
  processGroups: {
    what: "a libtorch whose process groups set-up could build; promptloss doctor says why not",
    isMachine: true,
  },
  zsh: { what: "zsh; on Debian: apt-get install zsh" },
  fish: { what: "fish; on Debian: apt-get install fish" },
  smallDisk: {
    what: "Linux, where a user may mount a file system of their own: unshare --map-root-user --mount",
    isMachine: true,
  },
  posix: { what: "a system other than Windows", isMachine: true },
} satisfies Record<string, { what: string; isMachine?: boolean }>;

export type Need = keyof typeof NEEDS;

/** Which needs a value of REQUIRE_ALL makes a must. @throws Error for a name that no test needs */
export function demandedBy(value = ""): ReadonlySet<Need> {
  const names = value.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !["", "0", "1"].includes(name) && !Object.hasOwn(NEEDS, name));
  if (unknown.length > 0)
    throw new Error(`REQUIRE_ALL: no test needs ${unknown.join(", ")}, but ${Object.keys(NEEDS).join(", ")}`);
  const all = Object.keys(NEEDS) as Need[];
  return new Set(
    all.filter((need) => names.includes(need) || (names.includes("1") && !("isMachine" in NEEDS[need]))),
  );
}

const demanded = demandedBy(process.env.REQUIRE_ALL);

/**
 * `describe` and `test` for what needs something.
 * @param thing what was found: undefined or false where it isn't there
 */
export function needs(need: Need, thing: unknown): { describe: typeof describe; test: typeof test } {
  if (thing !== undefined && thing !== false) return { describe, test };
  const why = `needs ${NEEDS[need].what}`;
  if (demanded.has(need))
    test(`REQUIRE_ALL: ${need}`, () => {
      throw new Error(`this file ${why}`);
    });
  const titled = (name: string): string => `${name} (skipped: ${why})`;
  return {
    describe: ((name: string, ...rest: never[]) => describe.skip(titled(name), ...rest)) as typeof describe,
    test: ((name: string, ...rest: never[]) => test.skip(titled(name), ...rest)) as typeof test,
  };
}

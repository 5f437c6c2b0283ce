// The one message that a user reads when there is no libtorch: what was tried, and every way to get one.

import type { Machine } from "../machine.ts";
import { setupCommand } from "./current-build.ts";
import { DEBIAN_BLAS } from "./fetch-debian.ts";
import { FETCHED_VERSION, wheelNameFor, wheelRequirement } from "./wheel.ts";

/** @param tried what failed and why, one sentence each, without full stops. */
export function waysToGetLibtorch(machine: Machine, tried: readonly string[], cache: string): string {
  const wheel = wheelNameFor(machine);
  const command = setupCommand();
  const again = setupCommand("--fetch");
  const ways: [title: string, ...lines: string[]][] = [
    [
      "let set-up fetch PyTorch's CPU wheel, from a mirror or through pip (needs Python 3 with pip)",
      `PROMPTLOSS_LIBTORCH_URL=<an address or a folder> ${again}`,
      ...(wheel === undefined ? [] : [`where ${wheel} lies`]),
      ...(machine.platform === "darwin"
        ? []
        : [
            `PIP_EXTRA_INDEX_URL=<index> ${again}`,
            `where pip's own index has no ${wheelRequirement(machine)}: PyTorch's "get started" page, with`,
            "Pip and CPU chosen, shows the <index> to put there",
          ]),
    ],
    [
      "use the torch that your Python has, with CUDA if it has that",
      `LIBTORCH_USE_PYTORCH=1 PROMPTLOSS_PYTHON=<its python3> ${command}`,
    ],
    [
      'use a libtorch of your own: download "LibTorch" from PyTorch\'s "get started" page and unpack it',
      `LIBTORCH=<the folder with include/ and lib/> ${command}`,
      `or put that folder at ${cache}/libtorch/${FETCHED_VERSION}, where every run finds it`,
    ],
    machine.platform === "darwin"
      ? ["use Homebrew's", `brew install pytorch && ${command}`]
      : [
          "use the distribution's (1.13 on Debian 12; it works, and is slower)",
          `sudo apt-get install libtorch-dev ${DEBIAN_BLAS} && ${command}`,
        ],
  ];
  return [
    "no libtorch was found",
    ...tried.map((reason) => `  - ${reason}`),
    "",
    "Ways to get one:",
    ...ways.flatMap(([title, ...lines], i) => [
      `  ${i + 1}. ${title}`,
      ...lines.map((line) => `       ${line}`),
    ]),
  ].join("\n");
}

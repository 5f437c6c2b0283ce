// The libtorch that set-up fetches: PyTorch's own CPU wheels, one per platform, with what each must hash to. A wheel is a
// zip, and libtorch is the same in those of all Python versions: those of Python 3.11 are taken.
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { type Machine, variable } from "../machine.ts";

/** The release that set-up fetches, and that the prebuilt packages are built for. */
export const FETCHED_VERSION = "2.13.0";

/** Where PyTorch publishes its CPU wheels. */
const PUBLISHED = "https://download.pytorch.org/whl/cpu/";

/** SHA-256 of each platform's wheel, by the name under which it is published. */
const WHEELS: Readonly<Record<string, { readonly name: string; readonly sha256: string }>> = {
  "linux-x64": {
    name: `torch-${FETCHED_VERSION}+cpu-cp311-cp311-manylinux_2_28_x86_64.whl`,
    sha256: "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
  },
  "linux-arm64": {
    name: `torch-${FETCHED_VERSION}+cpu-cp311-cp311-manylinux_2_28_aarch64.whl`,
    sha256: "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
  },
  "darwin-arm64": {
    name: `torch-${FETCHED_VERSION}-cp311-cp311-macosx_14_0_arm64.whl`,
    sha256: "e76f9bcecc52b8ff711239a2f7547d5353df95878ab232f0773c1d95928b92f8",
  },
};

/** The platforms that have a wheel, such as `linux-x64`: those that prebuilt packages are made for. */
export const WHEEL_PLATFORMS: readonly string[] = Object.keys(WHEELS);

export interface WheelSource {
  readonly name: string;
  readonly sha256: string;
  /** `https:`, `http:` or `file:`. */
  readonly url: URL;
}

/** Node's name of the machine's platform and processor, such as `linux-x64`. */
export function platformOf({ platform, arch }: Pick<Machine, "platform" | "arch">): string {
  return `${platform}-${arch}`;
}

/** The name of this machine's wheel; undefined where PyTorch has none. */
export function wheelNameFor(machine: Machine): string | undefined {
  return WHEELS[platformOf(machine)]?.name;
}

/**
 * Where this machine's wheel is to be had: below `PROMPTLOSS_LIBTORCH_URL`, or that itself where it names a wheel, or else
 * from PyTorch. It takes a folder's path as well as an address. Undefined where PyTorch has no wheel for the platform.
 */
export function wheelFor(machine: Machine): WheelSource | undefined {
  const wheel = WHEELS[platformOf(machine)];
  if (wheel === undefined) return undefined;
  const own = variable(machine, "PROMPTLOSS_LIBTORCH_URL") ?? PUBLISHED;
  const base = isAbsolute(own) ? pathToFileURL(own) : new URL(own);
  if (base.pathname.endsWith(".whl")) return { ...wheel, url: base };
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return { ...wheel, url: new URL(encodeURIComponent(wheel.name), base) };
}

/** What pip is asked for. PyTorch marks its builds without CUDA with `+cpu`, and has no others for macOS. */
export function wheelRequirement(machine: Machine): string {
  return machine.platform === "darwin" ? `torch==${FETCHED_VERSION}` : `torch==${FETCHED_VERSION}+cpu`;
}

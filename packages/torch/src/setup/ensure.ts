// The build to load. An installed package that has none yet is set up on the spot, by its own program in a process of its
// own: loading is synchronous, and fetching is not. npm runs nothing of this package when it installs it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { NotBuiltError } from "../errors.ts";
import { type CurrentBuild, isClone, packageFolder, readCurrentBuild } from "./current-build.ts";

/** A build whose addon is there. */
export type LoadableBuild = CurrentBuild & { readonly addon: string };

/**
 * The build in use. Where an installed package has none, set-up runs first and says on standard error what it does; a clone
 * is set up by its npm scripts alone.
 *
 * @throws {NotBuiltError}
 */
export function ensureSetUp(): LoadableBuild {
  const found = loadable(readCurrentBuild());
  if (typeof found !== "string") return found;
  if (isClone) throw new NotBuiltError(found);
  runSetUp();
  const built = loadable(readCurrentBuild());
  if (typeof built === "string") throw new NotBuiltError(built);
  return built;
}

/** The build itself, or why it cannot be loaded. */
function loadable(build: CurrentBuild | undefined): LoadableBuild | string {
  if (build?.addon === undefined) return "the native code of @promptloss/torch is not built";
  for (const path of [build.addon, build.libtorch.lib]) if (!existsSync(path)) return `${path} is gone`;
  return { ...build, addon: build.addon };
}

function runSetUp(): void {
  const program = join(packageFolder, "bin", "promptloss-torch.js");
  // Deno asks for leave before everything that a program does, unless it is told otherwise.
  const runtime = "deno" in process.versions ? ["run", "--allow-all"] : [];
  const { status, error } = spawnSync(process.execPath, [...runtime, program, "setup"], {
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new NotBuiltError("@promptloss/torch could not be set up, see above", error);
}

// Which linear modules an adapter's targets choose. Pure, so that a plan counts what training will train.
import type { Architecture } from "../config/architecture.ts";
import { linearModules } from "../config/parameters.ts";
import { ModelError } from "../errors.ts";

/** A name fits a module that it is, or that ends in it after a dot; a pattern must fit the whole path. */
function fits(target: string | RegExp, module: string): boolean {
  return typeof target === "string"
    ? module === target || module.endsWith(`.${target}`)
    : new RegExp(`^(?:${target.source})$`, target.flags).test(module);
}

/**
 * The linear modules that targets choose.
 * @throws {ModelError} for a target that fits none
 */
export function targetModules(
  architecture: Architecture,
  targets: readonly (string | RegExp)[] | undefined,
  kind = "lora",
): ReturnType<typeof linearModules> {
  const modules = linearModules(architecture);
  if (targets === undefined) return modules;
  for (const target of targets) {
    if (modules.some(({ module }) => fits(target, module))) continue;
    const names = [...new Set(modules.map(({ module }) => module.split(".").at(-1)))];
    throw new ModelError(`${kind}: no linear module fits ${String(target)}`, {
      hint: `the modules of this model are ${names.join(", ")}`,
    });
  }
  return modules.filter(({ module }) => targets.some((target) => fits(target, module)));
}

// How many of the process' libraries are libtorch's, before and after the first call.
import { basename } from "node:path";
import { ones } from "../../src/index.ts";

function libraries(): number {
  return (process.report.getReport() as { sharedObjects: string[] }).sharedObjects.filter((path) =>
    // The name alone: a clone may lie in a folder that is named like the project.
    /libtorch|promptloss/.test(basename(path)),
  ).length;
}

const before = libraries();
ones([2]);
console.log(JSON.stringify({ before, after: libraries() }));

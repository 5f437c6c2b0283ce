// How many of the process' libraries are libtorch's, before and after the first call.
import { ones } from "../../src/index.ts";

function libraries(): number {
  return (process.report.getReport() as { sharedObjects: string[] }).sharedObjects.filter((path) =>
    /libtorch|promptloss/.test(path),
  ).length;
}

const before = libraries();
ones([2]);
console.log(JSON.stringify({ before, after: libraries() }));

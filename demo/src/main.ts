// `npm run demo [-- --fresh | --model]`: everything goes to runs/demo. --model makes the model alone, to try commands with.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prepareBaseModel } from "./base-model.ts";
import { CommandFailure } from "./commands.ts";
import { DEMO_SIZE } from "./data-files.ts";
import { demo } from "./demo.ts";

const unknown = process.argv.slice(2).filter((arg) => arg !== "--fresh" && arg !== "--model");
if (unknown.length > 0) {
  console.error(`npm run demo takes --fresh or --model, got ${unknown.join(" ")}`);
  process.exit(2);
}
const root = fileURLToPath(new URL("../../", import.meta.url));
process.chdir(root);
const folder = join(root, "runs/demo");
try {
  if (process.argv.includes("--model")) {
    prepareBaseModel(join(folder, "model"));
    console.log("runs/demo/model");
  } else demo({ size: DEMO_SIZE, folder, fresh: process.argv.includes("--fresh") });
} catch (error) {
  if (!(error instanceof CommandFailure)) throw error;
  console.error(error.message);
  process.exitCode = error.status;
}

// `npm run demo [-- --fresh]`: everything goes to runs/demo.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandFailure } from "./commands.ts";
import { DEMO_SIZE } from "./data-files.ts";
import { demo } from "./demo.ts";

const unknown = process.argv.slice(2).filter((arg) => arg !== "--fresh");
if (unknown.length > 0) {
  console.error(`npm run demo takes --fresh alone, got ${unknown.join(" ")}`);
  process.exit(2);
}
const root = fileURLToPath(new URL("../../", import.meta.url));
process.chdir(root);
try {
  demo({ size: DEMO_SIZE, folder: join(root, "runs/demo"), fresh: process.argv.includes("--fresh") });
} catch (error) {
  if (!(error instanceof CommandFailure)) throw error;
  console.error(error.message);
  process.exitCode = error.status;
}

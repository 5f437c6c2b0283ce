// Builds the studio's page into promptloss's package, after TypeScript is compiled; again only when a source has changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stampFile = join(root, "studio/dist/.page-stamp");

/** One hash over path, size and time of every file that the page may be made of. */
function sourceStamp() {
  const hash = createHash("sha256");
  for (const folder of ["studio/src", "packages/promptloss/src"])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort())
      if (!name.endsWith(".test.ts")) add(hash, join(folder, name));
  for (const name of ["studio/index.html", "studio/vite.config.ts", "package-lock.json"]) add(hash, name);
  return hash.digest("hex");
}

function add(hash, name) {
  const status = statSync(join(root, name));
  if (status.isFile()) hash.update(`${name} ${status.size} ${status.mtimeMs}\n`);
}

const stamp = sourceStamp();
const page = join(root, "packages/promptloss/dist/studio-page");
const isBuilt = existsSync(join(page, "index.html"));
if (!isBuilt || !existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const { status } = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], {
    cwd: join(root, "studio"),
    // On standard error: what set-up prints under --json is JSON alone.
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) process.exit(1);
  // Apache's license asks that a package's notice goes along; Vite takes licenses alone.
  const notice = readFileSync(join(root, "node_modules/echarts/NOTICE"), "utf8");
  appendFileSync(join(page, "licenses.md"), `\n## Notice of echarts\n\n${notice}`);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

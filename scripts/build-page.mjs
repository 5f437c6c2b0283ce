// Builds the studio's page into promptloss's package, after TypeScript is compiled; again only when a source has changed.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceStamp, sourcesIn } from "./source-stamp.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stampFile = join(root, "studio/dist/.page-stamp");

/** Every file that the page may be made of. */
const sources = [
  ...["studio/src", "packages/promptloss/src"].flatMap((folder) => sourcesIn(root, folder)),
  ...["studio/index.html", "studio/vite.config.ts", "package-lock.json"],
];

const stamp = sourceStamp(root, sources);
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

// Builds the site into site/dist: the repository's pages where they lie, every recipe, and a page per module of the two
// packages from its types and doc comments. VitePress refuses links that lead nowhere.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const site = dirname(fileURLToPath(import.meta.url));
const root = join(site, "..");
const pages = join(site, "pages");
const PACKAGES = ["packages/promptloss", "packages/torch"];

function run(script, args) {
  const { status } = spawnSync(process.execPath, [join(site, "node_modules", script), ...args], {
    cwd: site,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
}

/** Pages keep their places, so that their links hold; what else they link to is served as it is. */
function copyPages() {
  const docs = readdirSync(join(root, "docs")).map((name) => `docs/${name}`);
  const texts = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"];
  const inPackages = PACKAGES.map((folder) => `${folder}/CHANGELOG.md`);
  for (const path of [...docs, ...texts, ...inPackages, "packages/torch/README.md"]) {
    const isPage = extname(path) === ".md" || /\.(svg|png)$/.test(path);
    cpSync(join(root, path), join(pages, isPage ? path : `public/${path}`));
  }
}

function writeRecipes() {
  const names = readdirSync(join(root, "recipes"), { recursive: true })
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  const parts = names.map((name) => {
    const text = readFileSync(join(root, "recipes", name), "utf8");
    return `## ${name}\n\n\`\`\`yaml\n${text.trimEnd()}\n\`\`\`\n`;
  });
  mkdirSync(join(pages, "recipes"), { recursive: true });
  writeFileSync(join(pages, "recipes/index.md"), `# Recipes\n\n${parts.join("\n")}`);
}

/** The sources behind the names that a package is imported by. */
function modulesOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return Object.values(exports)
    .filter((door) => typeof door === "object")
    .map((door) => join(root, folder, door.default.replace("./dist", "src").replace(/\.js$/, ".ts")));
}

function writeReference() {
  for (const folder of PACKAGES) {
    const options = {
      entryPoints: modulesOf(folder),
      tsconfig: join(root, folder, "tsconfig.json"),
      plugin: ["typedoc-plugin-markdown"],
      out: join(pages, "api", relative("packages", folder)),
      readme: "none",
      excludeInternal: true,
      excludePrivate: true,
      disableSources: true,
      hideGenerator: true,
      logLevel: "Error",
      entryFileName: "index",
      // The rest stands on its module's page; a page for the type Index would be taken for the folder's.
      membersWithOwnFile: ["Class", "Interface", "Function"],
      // What a module's types mention and it does not export is told where it is exported.
      validation: false,
    };
    const file = join(site, "pages", `typedoc-${relative("packages", folder)}.json`);
    writeFileSync(file, JSON.stringify(options));
    run("typedoc/bin/typedoc", ["--options", file]);
    rmSync(file);
  }
}

rmSync(pages, { recursive: true, force: true });
mkdirSync(pages);
copyPages();
writeRecipes();
writeReference();
run("vitepress/bin/vitepress.js", ["build", "."]);

// `node typescript.mjs program.ts …`: runs a TypeScript program of the tests on any supported Node.
import { resolve } from "node:path";
import { runnerImport } from "vite";

const [program] = process.argv.splice(2, 1);
// Node 20 does not know `using`.
await runnerImport(resolve(program), { oxc: { target: "es2022" } });

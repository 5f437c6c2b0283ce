// The programs of the package's README.md, run as a newcomer would run them.
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { blocksOf } from "../../../test/pages.ts";
import { programsOf, runProgram } from "../../../test/programs.ts";
import { distributedBackends } from "../src/distributed/index.ts";

const groups = needs("processGroups", distributedBackends().includes("gloo"));

test("the README's complete program learns XOR", () => {
  const [program] = programsOf("packages/torch/README.md");
  const run = runProgram("packages/torch", program!);
  expect(run.stderr).toBe("");
  const losses = [...run.stdout.matchAll(/loss (\S+)/g)].map((match) => Number(match[1]));
  expect(losses).toHaveLength(5);
  const shape = (text: string): string => text.replaceAll(/[\d.]+e-\d+/g, "N");
  const shown = blocksOf("packages/torch/README.md").find(({ language }) => language === "text")!;
  expect(shape(run.stdout)).toBe(shape(shown.code));
  // Stuck at a constant answer the loss is 0.25.
  expect(losses.at(-1)).toBeLessThan(1e-3);
});

groups.test("the README's program of several processes runs as one of one", async () => {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
  const env = { RANK: "0", WORLD_SIZE: "1", MASTER_ADDR: "127.0.0.1", MASTER_PORT: String(port) };
  const run = runProgram("packages/torch", programsOf("packages/torch/README.md")[1]!, { env });
  expect([run.stdout, run.stderr]).toEqual(["rank 0 of 1: 1\n", ""]);
});

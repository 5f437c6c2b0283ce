import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { download } from "./download.ts";

const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
const sha256 = createHash("sha256").update(content).digest("hex");

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/torch.whl`);
}

/**
 * Serves the content, or what a Range header asks for; of each answer no more than `most` bytes, and when they have come to
 * `file`, the line is cut.
 */
function ranges(file: string, most: number, asked: (string | undefined)[]) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { range } = request.headers;
    asked.push(range);
    const start = range === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
    if (start >= content.length) {
      response.writeHead(416).end();
      return;
    }
    response.writeHead(range === undefined ? 200 : 206, {
      "content-length": content.length - start,
      ...(range !== undefined && {
        "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
      }),
    });
    const part = content.subarray(start, start + most);
    if (start + most >= content.length) response.end(part);
    else {
      response.write(part);
      const timer = setInterval(() => {
        if (!existsSync(file) || statSync(file).size < start + most) return;
        clearInterval(timer);
        response.destroy();
      }, 5);
    }
  };
}

it("resumes a download that breaks off", async () => {
  const asked: (string | undefined)[] = [];
  const file = join(temporaryFolder(), "part");
  const url = await serve(ranges(file, 80_000, asked));
  const starts: unknown[] = [];
  await download(url, file, { sha256, onStart: (size, have) => starts.push([size, have]) });
  expect(readFileSync(file).equals(content)).toBe(true);
  expect(asked).toEqual([undefined, "bytes=80000-", "bytes=160000-"]);
  expect(starts).toEqual([[200_000, 0]]);
});

it("goes on from what an earlier process has left", async () => {
  const asked: (string | undefined)[] = [];
  const file = join(temporaryFolder(), "part");
  const url = await serve(ranges(file, content.length, asked));
  write(file, content.subarray(0, 1000));
  await download(url, file, { sha256 });
  expect(readFileSync(file).equals(content)).toBe(true);
  // All of it is there now: the server has nothing behind it.
  await download(url, file, { sha256 });
  expect(asked).toEqual(["bytes=1000-", "bytes=200000-"]);
});

it("begins anew where the server knows no ranges", async () => {
  const url = await serve((_, response) => response.writeHead(200).end(content));
  const file = join(temporaryFolder(), "part");
  write(file, "something else");
  await download(url, file, { sha256 });
  expect(readFileSync(file).equals(content)).toBe(true);
});

it("refuses and removes a file of another hash", async () => {
  const url = await serve((_, response) => response.end("another file"));
  const file = join(temporaryFolder(), "part");
  await expect(download(url, file, { sha256 })).rejects.toThrow(`not ${sha256}`);
  expect(existsSync(file)).toBe(false);
});

it("says what the server answered, and that none did", async () => {
  const url = await serve((_, response) => response.writeHead(404).end("no"));
  const file = join(temporaryFolder(), "part");
  await expect(download(url, file, { sha256 })).rejects.toThrow(`${url} answers 404 Not Found`);
  const nobody = new URL("http://127.0.0.1:1/torch.whl");
  await expect(download(nobody, file, { sha256 })).rejects.toThrow(`${nobody} did not come: `);
  expect(existsSync(file)).toBe(false);
});

it("gives up a server that falls silent, and keeps what came", async () => {
  const url = await serve((request, response) => {
    if (request.headers.range !== undefined) return;
    response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 5000));
  });
  const file = join(temporaryFolder(), "part");
  await expect(download(url, file, { sha256, patience: 100 })).rejects.toThrow("no byte within 0.1 s");
  expect(readFileSync(file).length).toBe(5000);
});

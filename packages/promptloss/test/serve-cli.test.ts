// The command `serve`: what it prints, how it ends.
import { once } from "node:events";
import { createInterface } from "node:readline";
import OpenAI from "openai";
import { describe, expect, it, vi } from "vitest";
import { promptloss, startPromptloss } from "./command.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES } from "./tokenizers.ts";

const model = tinyFolder(TINY_BYTES);

describe("promptloss serve", () => {
  const serve = async (...args: string[]) => {
    const child = startPromptloss(["serve", model, "--port", "0", ...args]);
    let errors = "";
    child.stderr.on("data", (data: Buffer) => {
      errors += data.toString();
    });
    const ended = once(child, "close") as Promise<[number | null, string | null]>;
    const line = await Promise.race([
      once(createInterface({ input: child.stdout }), "line").then(([text]) => text as string),
      ended.then(([code]) => {
        throw new Error(`ended with ${code}: ${errors}`);
      }),
    ]);
    const url = line.slice(line.indexOf("http"));
    return { child, ended, line, url, errors: () => errors };
  };

  it("says where it is, answers, and ends cleanly with a signal", async () => {
    const { child, ended, line, url, errors } = await serve("--name", "my-model", "--grace", "0");
    expect(line).toMatch(/^my-model at http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 });
    const stream = await client.completions.create({
      model: "my-model",
      prompt: "the dog",
      temperature: 0,
      max_tokens: 500,
      stream: true,
    });
    const read = async (): Promise<void> => {
      // Once: a second signal ends the server at once.
      for await (const _ of stream) if (!child.killed) child.kill("SIGTERM");
    };
    await expect(read()).rejects.toThrow();
    expect(await ended).toEqual([0, null]);
    expect(errors()).toBe("");
  });

  it("warns where it is open to all", async () => {
    const { child, ended, url, errors } = await serve("--host", "0.0.0.0");
    await vi.waitFor(() => expect(errors()).not.toBe(""), 60_000);
    expect(errors()).toContain("0.0.0.0 is open to other machines, and no key is asked for (--api-key-env)");
    expect((await fetch(`${url}/models`)).status).toBe(200);
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
  });

  it("says what is wrong", () => {
    const failure = (...args: string[]): string => {
      const { status, stderr } = promptloss(["serve", ...args]);
      return `${status} ${stderr.replaceAll(model, "MODEL")}`;
    };
    expect([
      failure("/no/such"),
      failure(model, "--port", "99999"),
      failure(model, "--host", "203.0.113.1", "--port", "0").split("\n").slice(1).join("\n"),
      failure(model, "--api-key-env", "NO_SUCH_KEY"),
      failure(model, "--max-new-tokens", "0"),
    ]).toMatchInlineSnapshot(`
      [
        "1 error: /no/such: there is no such model folder
      hint: give the folder of a Hugging Face model: config.json, model.safetensors, tokenizer.json
      ",
        "1 error: can't listen at 127.0.0.1:99999: options.port should be >= 0 and < 65536. Received type number (99999).
      hint: ports are numbers up to 65535
      ",
        "error: can't listen at 203.0.113.1:0: listen EADDRNOTAVAIL: address not available 203.0.113.1
      hint: this machine has no such address
      ",
        "1 error: --api-key-env: NO_SUCH_KEY is not set
      hint: export NO_SUCH_KEY=... before
      ",
        "2 error: option '--max-new-tokens <count>' argument '0' is invalid. It should be a whole number of 1 or more.
      ",
      ]
    `);
  });
});

// The command `serve`: what it prints, how it ends.
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { promptloss } from "./command.ts";
import { startServing } from "./serving.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES } from "./tokenizers.ts";

const model = tinyFolder(TINY_BYTES);

describe("promptloss serve", () => {
  const serve = (...args: string[]) => startServing(model, ...args);

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

  it("opens to other machines with a key alone, which it never prints", async () => {
    const key = "sk-none-may-see-this";
    const { child, ended, line, url, errors } = await serve("--host", "0.0.0.0", "--api-key", key);
    const models = (headers: Record<string, string>) => fetch(`${url}/models`, { headers });
    expect((await models({})).status).toBe(401);
    expect((await models({ authorization: `Bearer ${key}x` })).status).toBe(401);
    expect((await models({ authorization: `Bearer ${key}` })).status).toBe(200);
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(`${line}${errors()}`).not.toContain(key);
  });

  it("says what is wrong", () => {
    const failure = (...args: string[]): string => {
      const { status, stderr } = promptloss(["serve", ...args]);
      return `${status} ${stderr.replaceAll(model, "MODEL")}`;
    };
    expect([
      failure("/no/such"),
      failure(model, "--port", "99999"),
      failure(model, "--host", "203.0.113.1", "--port", "0", "--api-key", "k"),
      failure(model, "--api-key-env", "NO_SUCH_KEY"),
      failure(model, "--host", "0.0.0.0"),
      failure(model, "--api-key", "a", "--api-key-env", "b"),
      failure(model, "--api-key", "a b"),
      failure(model, "--max-new-tokens", "0"),
    ]).toMatchInlineSnapshot(`
      [
        "1 error: /no/such: there is no such model folder
      hint: give the folder of a Hugging Face model: config.json, model.safetensors, tokenizer.json
      ",
        "1 error: can't listen at 127.0.0.1:99999: options.port should be >= 0 and < 65536. Received type number (99999).
      hint: ports are numbers up to 65535
      ",
        "1 error: can't listen at 203.0.113.1:0: listen EADDRNOTAVAIL: address not available 203.0.113.1
      hint: this machine has no such address
      ",
        "1 error: --api-key-env: NO_SUCH_KEY is not set
      hint: export NO_SUCH_KEY=... before
      ",
        "1 error: 0.0.0.0 is open to other machines, and no key is asked for
      hint: give --api-key-env or --api-key, or listen on 127.0.0.1
      ",
        "1 error: --api-key and --api-key-env name two keys
      hint: give one of them
      ",
        "1 error: the API key must be printable ASCII characters without spaces
      hint: an HTTP header carries it; take letters and digits
      ",
        "2 error: option '--max-new-tokens <count>' argument '0' is invalid. It should be a whole number of 1 or more.
      ",
      ]
    `);
  });
});

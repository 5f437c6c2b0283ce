import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { probeNative } from "./probe.ts";

function script(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "probe.mjs");
  writeFileSync(file, text);
  return file;
}

describe("probeNative", () => {
  it("takes the last line as the answer, whatever libtorch prints before it", async () => {
    const file = script(
      'console.log("a warning"); console.log(JSON.stringify({ works: false, message: "m" }))',
    );
    expect(await probeNative(file)).toEqual({ works: false, message: "m" });
  });

  it.each([
    ['process.kill(process.pid, "SIGILL")', /instructions that this processor lacks/],
    ['process.kill(process.pid, "SIGKILL")', /want of memory/],
    ["process.abort()", /^the native code ended with SIGABRT/],
    ['console.error("boom"); process.exit(3)', /^the native code ended with 3: boom$/],
  ])("survives %s", async (text, message) => {
    expect(await probeNative(script(text))).toMatchObject({
      works: false,
      message: expect.stringMatching(message),
    });
  });

  it("does not wait for ever", async () => {
    const message = "the native code did not answer in time";
    expect(await probeNative(script("setTimeout(() => {}, 60_000)"), 200)).toMatchObject({
      works: false,
      message,
    });
  });
});

import { expect, test } from "vitest";
import { loadTokenizer } from "./index.ts";

test("a tokenizer named as on the hub is refused with the command that fetches it", async () => {
  await expect(loadTokenizer("some-maker/some-model")).rejects.toMatchObject({
    hint: "one of the hub comes with: hf download some-maker/some-model --local-dir some-maker/some-model",
  });
  await expect(loadTokenizer("./no/such/folder")).rejects.toMatchObject({
    hint: expect.stringContaining("Name a folder that holds a tokenizer.json"),
  });
});

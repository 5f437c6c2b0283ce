// Stories and their questions: the same for a seed, answers in the text, nothing held out in training.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writeStories } from "./stories.ts";

describe("stories", () => {
  test("are the same for the same seed, and no two are alike", () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 40 }), (seed, count) => {
        const stories = writeStories(count, seed);
        expect(stories).toEqual(writeStories(count, seed));
        expect(new Set(stories.map(({ text }) => text)).size).toBe(count);
        expect(stories).not.toEqual(writeStories(count, seed + 1));
      }),
      { numRuns: 20 },
    );
  });

  test("have questions with four different choices, of which the right one is told", () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        for (const { text, questions } of writeStories(5, seed)) {
          expect(new Set(questions.map(({ question }) => question)).size).toBe(questions.length);
          for (const { question, answer, choices } of questions) {
            expect(new Set(choices).size).toBe(4);
            expect(choices).toContain(answer);
            const told = choices.filter((choice) => text.includes(choice.replace(/^(the|an?|some) /, "")));
            expect(told, question).toContain(answer);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("read as children's stories do", () => {
    expect(writeStories(2, 5).map(({ text }) => text)).toMatchInlineSnapshot(`
      [
        "It was a sunny day. Mia and the mom walked to the garden. Mia found a yellow boat. Mia was happy and had some soup.",
        "It was a sunny day. Lucy went to the store with the grandpa. There Lucy saw a green boat. Lucy ate ice cream and felt angry.",
      ]
    `);
  });
});

// Short stories with questions about them: two children, to whom different things
// happen. Every fact is said once, and every answer stands in the story. The same
// for the same seed.
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { COLOURS, COMPANIONS, FEELINGS, FOODS, PEOPLE, PLACES, THINGS, WEATHER } from "./words.ts";

export interface Question {
  readonly question: string;
  readonly answer: string;
  /** Four, all different; the answer among them. */
  readonly choices: readonly string[];
}

export interface Story {
  readonly text: string;
  readonly questions: readonly Question[];
}

/** Draws evenly from lists. */
class Draw {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  one<T>(list: readonly T[]): T {
    return list[uniformInt(this.#generator, 0, list.length - 1)]!;
  }

  /** Some of a list, none twice, in random order. */
  some<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    return Array.from(
      { length: count },
      () => rest.splice(uniformInt(this.#generator, 0, rest.length - 1), 1)[0]!,
    );
  }
}

/** Stories that differ from each other. */
export function writeStories(count: number, seed: number): Story[] {
  const draw = new Draw(seed);
  const stories = new Map<string, Story>();
  while (stories.size < count) {
    const story = writeStory(draw);
    stories.set(story.text, story);
  }
  return [...stories.values()];
}

/** One of the two whom a story is about, and what happens to them. */
interface Part {
  readonly sentences: readonly string[];
  /** Question and answer; the other one's answer to the same question is a choice too. */
  readonly facts: readonly { question: string; answer: string; all: readonly string[] }[];
}

function writeStory(draw: Draw): Story {
  const [first, second] = draw.some(PEOPLE, 2) as [string, string];
  const kinds = [PLACES, COMPANIONS, COLOURS, THINGS, FOODS, FEELINGS];
  // Both get words of their own, so that every question has one answer.
  const words = kinds.map((kind) => draw.some<string>(kind, 2));
  const weather = draw.one(WEATHER);
  const parts = [first, second].map((name, i) =>
    writePart(
      draw,
      name,
      words.map((pair) => pair[i]!),
    ),
  ) as [Part, Part];
  const about = draw.one([0, 1] as const);
  const questions = parts[about].facts.map(({ question, answer, all }, fact): Question => {
    const other = parts[1 - about]!.facts[fact]!.answer;
    const rest = draw.some(
      all.filter((each) => each !== answer && each !== other),
      2,
    );
    return { question, answer, choices: draw.some([answer, other, ...rest], 4) };
  });
  // Of the other child some is told, or all: the more, the harder the questions.
  const others = draw.one([0, 1, 2, 3]);
  const told = parts[about].sentences.flatMap((sentence, i) => {
    const both = [sentence, parts[1 - about]!.sentences[i]!];
    return i < others ? draw.some(both, 2) : [sentence];
  });
  return { text: [`It was a ${weather} day.`, ...told].join(" "), questions: draw.some(questions, 2) };
}

function writePart(draw: Draw, name: string, words: readonly string[]): Part {
  const [place, companion, colour, thing, food, feeling] = words as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    sentences: [
      draw.one([
        `${name} went to the ${place} with the ${companion}.`,
        `${name} and the ${companion} walked to the ${place}.`,
      ]),
      draw.one([`${name} found a ${colour} ${thing}.`, `There ${name} saw a ${colour} ${thing}.`]),
      draw.one([`${name} ate ${food} and felt ${feeling}.`, `${name} was ${feeling} and had ${food}.`]),
    ],
    facts: [
      { question: `Where did ${name} go?`, answer: `the ${place}`, all: PLACES.map((each) => `the ${each}`) },
      {
        question: `Who went with ${name}?`,
        answer: `the ${companion}`,
        all: COMPANIONS.map((each) => `the ${each}`),
      },
      { question: `What did ${name} find?`, answer: `a ${thing}`, all: THINGS.map((each) => `a ${each}`) },
      { question: `What colour was the thing that ${name} found?`, answer: colour, all: COLOURS },
      { question: `What did ${name} eat?`, answer: food, all: FOODS },
      { question: `How did ${name} feel?`, answer: feeling, all: FEELINGS },
    ],
  };
}

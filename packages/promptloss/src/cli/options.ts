// Values of options, checked where they are given.
import { InvalidArgumentError } from "commander";

export const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("It should be a whole number.");
  return value;
};

/** A whole number of 1 or more. */
export const positiveCount = (text: string): number => {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError("It should be a whole number of 1 or more.");
  return value;
};

export const anyNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It should be a number.");
  return value;
};

/** For options that can be given several times. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** A weight of the loss: finite, 0 or more. */
export const weightNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("It should be a number of 0 or more.");
  return value;
};

/** "1,5-7" → {1, 5, 6, 7}. */
export const numberSet = (text: string): ReadonlySet<number> => {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || first < 1 || last < first || last - first > 10_000)
      throw new InvalidArgumentError("It should be numbers from 1 and ranges, such as 1,5-7.");
    for (let each = first; each <= last; each++) numbers.add(each);
  }
  return numbers;
};

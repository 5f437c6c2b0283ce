// How many of something, in words.

/** "1 epoch", "1,200 epochs". @param many where an s behind `one` is not it */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

// Model and tokenizer folders are read from disk alone: a name as the hub's gets the command that fetches it.

/** What fetches a folder that is named as on the hub; undefined for a name that is no such. */
export function fetchHint(folder: string): string | undefined {
  return /^[\w][\w.-]*\/[\w][\w.-]*$/.test(folder)
    ? `one of the hub comes with: hf download ${folder} --local-dir ${folder}`
    : undefined;
}

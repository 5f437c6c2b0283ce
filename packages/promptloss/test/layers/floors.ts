// The floors that docs/ARCHITECTURE.md lists, from the top, and where a module stands.
export interface Floor {
  /** A folder or a file, by its path from the repository's root. */
  readonly place: string;
  /** From the top of its package. */
  readonly line: number;
  readonly isPure: boolean;
  /** Whether only what is imported at run time has to lie below. */
  readonly atRunTime: boolean;
}

/** The lists of a page: fenced blocks that begin with "```layers" and the folder that their names are in. */
export function floorsOf(page: string): Floor[] {
  return [
    ...page.matchAll(/^```layers (?<folder>\S+)(?<atRunTime> at run time)?\n(?<lines>[\s\S]+?)^```/gm),
  ].flatMap(({ groups }) =>
    groups!
      .lines!.trimEnd()
      .split("\n")
      .flatMap((text, line) =>
        text.split(" ").map((name) => ({
          place: `${groups!.folder}/${name.replace("*", "")}`,
          line,
          isPure: name.endsWith("*"),
          atRunTime: groups!.atRunTime !== undefined,
        })),
      ),
  );
}

/** The floor with the longest name that fits. */
export function floorOf(file: string, floors: readonly Floor[]): Floor | undefined {
  return floors
    .filter(({ place }) => file === place || file.startsWith(`${place}/`))
    .sort((a, b) => b.place.length - a.place.length)[0];
}

export function packageOf(file: string): string {
  return file.split("/", 2).join("/");
}

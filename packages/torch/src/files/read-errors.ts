// Why a file can't be read, in words a user can act on.

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file: a part of its path is a file",
  EISDIR: "is a folder, not a file",
  EACCES: "may not be read",
  EPERM: "may not be read",
  ELOOP: "is a link that leads to itself",
  ENAMETOOLONG: "has a name that is too long",
  EMFILE: "can't be opened: too many files are open (ulimit -n)",
};

/** Why the system refused a file, without its own code and the path that it repeats. */
export function whyNot(cause: unknown): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return WORDS[code] ?? `can't be opened: ${message}`;
}

// Why a place can't be written to, in words a user can act on.

const REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EACCES: ["you may not write here", "name another output, or change the rights of the folder"],
  EPERM: ["you may not write here", "name another output, or change the rights of the folder"],
  EROFS: ["the file system is read-only", "name an output on another file system"],
  ENOSPC: ["the disk is full", "free some space and run the same command again"],
  EDQUOT: ["your disk quota is used up", "free some space and run the same command again"],
  EFBIG: ["the file is larger than the system allows", "free some space, or raise the limit (ulimit -f)"],
  ENOENT: ["the system makes no file or folder here", "name another output, on an ordinary file system"],
  EISDIR: ["is a folder, and a file is to be written", "name a file"],
  ENAMETOOLONG: ["the name is too long", "name a shorter output"],
  ELOOP: ["symbolic links lead in a circle", "name another output"],
  EMFILE: ["too many files are open", "raise the limit (ulimit -n)"],
};

/** What the system's error means for a place that was to be written, without its own code and the path that it repeats. */
export function whyNotWritten(cause: unknown): { reason: string; hint: string | undefined } {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const [reason, hint] = REASONS[code] ?? [`can't be written: ${message}`, undefined];
  return { reason, hint };
}

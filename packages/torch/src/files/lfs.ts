// Git LFS pointers: what a clone without git-lfs leaves in place of a large file.

const START = "version https://git-lfs.github.com/spec/";

/** What a file that turned out to be a pointer is to be told as, and what to do. */
export const LFS_POINTER = {
  message: "is a Git LFS pointer, not the file itself",
  hint: "fetch the file: git lfs pull in its folder, or download it again",
} as const;

/** Whether a file's beginning, text or bytes, is that of a Git LFS pointer. */
export function isLfsPointer(start: string | Uint8Array): boolean {
  const text =
    typeof start === "string" ? start : new TextDecoder("latin1").decode(start.subarray(0, START.length));
  return text.startsWith(START);
}

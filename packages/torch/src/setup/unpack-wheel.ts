// Takes libtorch out of PyTorch's wheel: libraries, headers, cmake's description and licenses; nothing of Python.
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Entry, open, type ZipFile } from "yauzl";

/** The folders of a wheel that make up libtorch; the wheel's own description, with its licenses, is kept beside them. */
export const LIBTORCH_FOLDERS: readonly string[] = [
  "torch/lib",
  "torch/include",
  "torch/share/cmake",
  "torch.libs",
];

/** Libraries of a wheel that only Python or PyTorch's tests load. */
export function isPythonLibrary(name: string): boolean {
  return /^libtorch_python|_test\.|^libbackend_with_compiler|^libaoti_custom_ops/.test(name);
}

function isWanted(path: string): boolean {
  if (path.endsWith("/") || isPythonLibrary(path.slice("torch/lib/".length))) return false;
  return (
    LIBTORCH_FOLDERS.some((folder) => path.startsWith(`${folder}/`)) || /^torch-[^/]*\.dist-info\//.test(path)
  );
}

/** Writes the wheel's libtorch below `folder`. */
export async function unpackWheel(wheel: string, folder: string): Promise<void> {
  const zip = await openZip(wheel);
  try {
    for await (const entry of entriesOf(zip)) {
      if (!isWanted(entry.fileName)) continue;
      const path = join(folder, entry.fileName);
      mkdirSync(dirname(path), { recursive: true });
      await pipeline(await contentOf(zip, entry), createWriteStream(path));
    }
  } finally {
    zip.close();
  }
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error ? reject(error) : resolve(zip),
    );
  });
}

// yauzl refuses names that lead out of the folder.
async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (let left = zip.entryCount; left > 0; left--) {
    yield await new Promise<Entry>((resolve, reject) => {
      const settle = (act: () => void): void => {
        zip.removeAllListeners("entry").removeAllListeners("error");
        act();
      };
      zip.once("entry", (entry: Entry) => settle(() => resolve(entry)));
      zip.once("error", (error: Error) => settle(() => reject(error)));
      zip.readEntry();
    });
  }
}

function contentOf(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

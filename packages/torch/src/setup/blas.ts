// Which BLAS a distribution's libtorch computes with. PyTorch's own builds bring theirs.
import { realpathSync } from "node:fs";
import { join } from "node:path";

/** Whether the libtorch whose libraries lie in `lib` takes float32 products from the reference BLAS, as Debian's may. */
export function usesReferenceBlas(lib: string): boolean {
  try {
    // Debian's alternatives: …/blas/libblas.so.3.11.0 is the reference, …/openblas-pthread/libblas.so.3 is not.
    return /[\\/]blas[\\/]libblas\.so/.test(realpathSync(join(lib, "libblas.so.3")));
  } catch {
    return false;
  }
}

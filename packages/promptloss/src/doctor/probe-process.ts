// Run in a process of its own: loads the native code, multiplies matrices and prints what came of it as one line
// of JSON. A libtorch that crashes takes this process along, and not the doctor.
import type { DType, Tensor } from "@promptloss/torch";
import { PRODUCT_DTYPES } from "../dtypes.ts";
import type { MatrixRate } from "./facts.ts";

/** Of square matrices: the first, and the largest. */
const SMALLEST = 256;
const LARGEST = 2048;
/** Products a rate is the median of, and the time in ms after which fewer do. */
const REPEATS = 7;
const PATIENCE = 2_000;

type Torch = typeof import("@promptloss/torch");

/**
 * The rate of products of the largest matrices that there is patience for: a dtype that the processor emulates would take
 * minutes at full size.
 */
function measure(torch: Torch, device: string, dtype: DType): Pick<MatrixRate, "size" | "teraflops"> {
  for (let size = SMALLEST; ; size *= 2) {
    const first = productsOf(torch, device, dtype, size, 1);
    if (size < LARGEST && first * 8 < PATIENCE) continue;
    const median = size < LARGEST ? first : productsOf(torch, device, dtype, size, REPEATS);
    return { size, teraflops: (2 * size ** 3) / (median / 1000) / 1e12 };
  }
}

/** The median time in ms. */
function productsOf(torch: Torch, device: string, dtype: DType, size: number, repeats: number): number {
  return torch.scope(() => {
    const [a, b] = [0, 1].map(() => torch.randn([size, size], { device }).to({ dtype })) as [Tensor, Tensor];
    const time = (): number => {
      const start = performance.now();
      torch.scope(() => {
        // As models multiply: by products of our own where there are some for the processor.
        torch.linear(a, b);
        torch.synchronize(device);
      });
      return performance.now() - start;
    };
    time();
    const started = performance.now();
    const times: number[] = [];
    while (times.length < repeats && (times.length === 0 || performance.now() - started < PATIENCE)) {
      times.push(time());
    }
    times.sort((x, y) => x - y);
    return times[times.length >> 1]!;
  });
}

async function report(): Promise<unknown> {
  try {
    const torch = await import("@promptloss/torch");
    const devices = torch.availableDevices();
    const rates = devices.flatMap((device) =>
      PRODUCT_DTYPES.map((dtype): MatrixRate => ({ device, dtype, ...measure(torch, device, dtype) })),
    );
    return { works: true, version: torch.libtorch().version, threads: torch.getNumThreads(), devices, rates };
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    return { works: false, message, hint };
  }
}

process.stdout.write(`${JSON.stringify(await report())}\n`);

// What is done otherwise on an accelerator than on the CPU, chosen once by device. There numbers that are read stop the
// device until the host has asked for more, and memory is what ends a batch; on the CPU a read is free.
//
// Which of libtorch's operators compute there is chosen further down, by `tryDevice` and the fused operators themselves.

export interface DeviceStrategy {
  /** Losses, sums and norms stay on the device, and are read together once per line of the log. */
  readonly readsLate: boolean;
  /** Steps of generation whose tokens are read together. More than one is decided ahead of stops, and may be in vain. */
  readonly stepsPerRead: number;
  /** The loss takes targets and weights on trust: a check would read its verdict. They were checked as rows. */
  readonly trustsRows: boolean;
  /** A layer that is computed again for its gradient keeps what its attention gave, which then attends once. */
  readonly recallsAttention: boolean;
}

const CPU: DeviceStrategy = {
  readsLate: false,
  stepsPerRead: 1,
  trustsRows: false,
  recallsAttention: false,
};
const ACCELERATOR: DeviceStrategy = {
  readsLate: true,
  stepsPerRead: 8,
  trustsRows: true,
  recallsAttention: true,
};

let forced: DeviceStrategy | undefined;

export function strategyOf(device: string): DeviceStrategy {
  return forced ?? (device === "cpu" ? CPU : ACCELERATOR);
}

/** @internal Chooses as on an accelerator whatever the device is, for tests where there is none. */
export function forceAccelerator(on: boolean): void {
  forced = on ? ACCELERATOR : undefined;
}

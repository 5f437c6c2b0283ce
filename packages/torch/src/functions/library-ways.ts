// Which of libtorch's own operators the fused ones take where there is a choice. `tryDevice` decides it for a device.

import { operator } from "../dispatcher.ts";

const get = operator<boolean>("promptloss::library_way");
const set = operator<boolean>("promptloss::use_library_way");

export type LibraryWay =
  | "flash attention"
  | "flash attention with a window"
  | "memory-efficient attention"
  | "memory-efficient attention with a window"
  | "fused RMS norm"
  | "wide products"
  | "fused AdamW"
  | "foreach norm";

/** Whether a way is taken where libtorch has its operators. */
export function isLibraryWay(way: LibraryWay): boolean {
  return get(way);
}

/** Takes a way or leaves it, for the whole process. @returns what it was before */
export function useLibraryWay(way: LibraryWay, on: boolean): boolean {
  return set(way, on);
}

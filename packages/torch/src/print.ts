// A tensor as text, laid out as PyTorch lays it out: aligned columns, four digits, the middle of long dimensions
// left out, and one line of facts.

import type { DType } from "./dtype.ts";
import { isDType, isFloatingPoint } from "./dtype.ts";
import type { NestedArray, Tensor } from "./tensor.ts";

const edge = 3;
const threshold = 1000;
const lineWidth = 100;

type Element = number | bigint | boolean;

/** Elements to show along a dimension: all, or the first and last few with undefined between them. */
function shown(size: number, summarize: boolean): (number | undefined)[] {
  const count = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
  // A view can have any size, expand([2 ** 53]) for one: only what is shown is counted.
  if (!summarize || size <= 2 * edge) return count(0, size);
  return [...count(0, edge), undefined, ...count(size - edge, size)];
}

/** How all elements of one tensor are written, chosen from those that are shown. */
function elementFormat(elements: Element[], dtype: DType): (element: Element) => string {
  if (!isFloatingPoint(dtype)) return String;
  const finite = elements.map(Number).filter(Number.isFinite);
  const sizes = finite.filter((x) => x !== 0).map(Math.abs);
  // Not Math.max(...sizes): many short dimensions show more elements than a call takes arguments.
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const special = (x: number): string => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");
  const scientific = largest >= 1e8 || (sizes.length > 0 && (largest / smallest > 1000 || smallest < 1e-4));
  const whole = finite.every(Number.isInteger) && largest < 1e8;
  return (element) => {
    const x = Number(element);
    if (!Number.isFinite(x)) return special(x);
    if (whole) return `${x}.`;
    if (scientific) return x.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
    return x.toFixed(4);
  };
}

/** Reads only what is shown: a summary of a large tensor must not copy it all. */
function readShown(tensor: Tensor, summarize: boolean): { nested: NestedArray; elements: Element[] } {
  const elements: Element[] = [];
  const read = (part: Tensor): NestedArray => {
    if (part.ndim === 0 || !summarize) {
      const value = part.toArray();
      for (const element of ([value] as unknown[]).flat(Number.POSITIVE_INFINITY))
        elements.push(element as Element);
      return value;
    }
    return shown(part.shape[0] as number, true)
      .filter((i) => i !== undefined)
      .map((i) => {
        const row = part.select(0, i);
        try {
          return read(row);
        } finally {
          row.free();
        }
      });
  };
  const plain = tensor.detach();
  try {
    return { nested: read(plain), elements };
  } finally {
    plain.free();
  }
}

function layOut(
  value: NestedArray,
  shape: number[],
  depth: number,
  summarize: boolean,
  cell: (e: Element) => string,
): string {
  if (!Array.isArray(value)) return cell(value);
  const indent = " ".repeat("tensor(".length + depth + 1);
  const parts: string[] = [];
  let next = 0;
  for (const i of shown(shape[depth] as number, summarize))
    parts.push(
      i === undefined ? "..." : layOut(value[next++] as NestedArray, shape, depth + 1, summarize, cell),
    );
  const innermost = depth === shape.length - 1;
  if (!innermost) return `[${parts.join(`,${"\n".repeat(shape.length - 1 - depth)}${indent}`)}]`;
  const perLine = Math.max(1, Math.floor((lineWidth - indent.length) / ((parts[0]?.length ?? 0) + 2)));
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(", "));
  return `[${lines.join(`,\n${indent}`)}]`;
}

export function formatTensor(tensor: Tensor): string {
  const { shape, dtype, numel, layout } = tensor;
  const facts = [`shape=[${shape.join(", ")}]`, `dtype=${dtype}`];
  if (tensor.device !== "cpu") facts.push(`device=${tensor.device}`);
  if (layout !== "strided") facts.push(`layout=${layout}`);
  if (tensor.gradFn !== null) facts.push(`gradFn=${tensor.gradFn}`);
  else if (tensor.requiresGrad) facts.push("requiresGrad=true");
  if (numel === 0) return `tensor([], ${facts.join(", ")})`;
  // Complex numbers, sparse layouts and tensors without memory (meta) have no elements to write in this way.
  if (!isDType(dtype) || tensor.device.startsWith("meta") || layout !== "strided")
    return `tensor(..., ${facts.join(", ")})`;
  const summarize = numel > threshold;
  const { nested, elements } = readShown(tensor, summarize);
  const format = elementFormat(elements, dtype);
  const width = elements.reduce<number>((widest, e) => Math.max(widest, format(e).length), 0);
  return `tensor(${layOut(nested, shape, 0, summarize, (e) => format(e).padStart(width))}, ${facts.join(", ")})`;
}

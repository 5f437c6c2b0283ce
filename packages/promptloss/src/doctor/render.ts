// The doctor's report as a terminal shows it. Pure: facts, findings and colors in, text out.

import { libtorchLine } from "@promptloss/torch/setup";
import { counted } from "../counted.ts";
import type { Ink } from "../terminal/index.ts";
import type { Facts, NativeState } from "./facts.ts";
import { type Finding, formatGB } from "./findings.ts";

/** The report, with a line break at its end. */
export function renderReport(facts: Facts, findings: readonly Finding[], colors: Ink): string {
  const rows = [...factRows(facts, colors), ...rateRows(facts.native, colors)];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, text]) => `  ${colors.dim(label.padEnd(width))}  ${text}`.trimEnd());
  return [colors.bold("promptloss doctor"), "", ...lines, "", ...verdict(findings, colors), ""].join("\n");
}

type Row = readonly [label: string, text: string];

function factRows(facts: Facts, colors: Ink): Row[] {
  const { node, platform, libtorch, native, processGroups, processor, cores, memory, disk, gpus } = facts;
  const limit = cores.limit === undefined ? "" : `, limited to ${Number(cores.limit.toFixed(2))}`;
  const threads = native.works ? `, ${counted(native.threads, "thread")} used` : "";
  const features = Object.entries(processor.features).map(([name, there]) =>
    there ? colors.green(`${name} ✓`) : colors.dim(`${name} –`),
  );
  return [
    ["Node", `${node}, ${platform}`],
    [
      "libtorch",
      libtorch === undefined ? colors.red("none yet") : libtorchLine(libtorch).replace(/^libtorch /, ""),
    ],
    ["native code", native.works ? colors.green("works") : colors.red("does not work")],
    ...(native.works ? [["processes", processes(processGroups)] as const] : []),
    ["processor", processor.model],
    ...(features.length === 0 ? [] : [["", features.join("  ")] as const]),
    ["cores", `${cores.available} available${limit}${threads}`],
    ["memory", `${formatGB(memory.available)} free of ${formatGB(memory.total)}`],
    ["disk", `${formatGB(disk.free)} free at ${disk.folder}`],
    ...gpus.map((gpu, i) => [i === 0 ? "graphics" : "", `${gpu.name}, ${formatGB(gpu.memory)}`] as const),
    ...(native.works ? [["devices", native.devices.join(", ")] as const] : []),
  ];
}

function processes({ backends, reason }: Facts["processGroups"]): string {
  if (backends.length > 0) return `several can train together, through ${backends.join(" and ")}`;
  return `one by itself${reason === undefined ? "" : `: ${reason.split("\n")[0]}`}`;
}

function rateRows(native: NativeState, colors: Ink): Row[] {
  if (!native.works || native.rates.length === 0) return [];
  const devices = [...new Set(native.rates.map(({ device }) => device))];
  return devices.map((device, i) => {
    const cells = native.rates
      .filter((rate) => rate.device === device)
      .map(({ dtype, teraflops }) => `${dtype} ${colors.bold(formatRate(teraflops))}`);
    return [
      i === 0 ? "products" : "",
      `${device}: ${cells.join(", ")} TFLOP/s ${colors.dim(`(${native.rates[0]!.size}³)`)}`,
    ];
  });
}

function verdict(findings: readonly Finding[], colors: Ink): string[] {
  const lines = findings.flatMap(({ level, message, remedy }) => [
    level === "error" ? `  ${colors.red("✗")} ${message}` : `  ${colors.yellow("!")} ${message}`,
    `    ${colors.dim("→")} ${remedy}`,
  ]);
  if (findings.some(({ level }) => level === "error")) return lines;
  return [...lines, `  ${colors.green("✓")} everything needed works`];
}

/** Three significant digits: rates span 0.01 to 1000. */
function formatRate(teraflops: number): string {
  return String(Number(teraflops.toPrecision(3)));
}

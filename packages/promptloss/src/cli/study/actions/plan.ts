import { counted } from "../../../counted.ts";
import { PromptlossError } from "../../../errors.ts";
import { measureSpeed, planStudy, type Study, type StudyPlan, studyStatus } from "../../../study/index.ts";
import { type StudyPower, studyPower } from "../../../study/plan/study-power.ts";
import { readStudyResults } from "../../../study/results/index.ts";
import { harmlessJson, ink } from "../../../terminal/index.ts";
import { textTable } from "../../../terminal/text-table.ts";
import { noteLine } from "../../notes.ts";
import { bytes, count, duration, short } from "../../train/format.ts";
import { powerLines } from "../power-lines.ts";
import { studyOf } from "../read-study-file.ts";
import type { StudyFlags } from "../study-file.ts";

interface Flags extends StudyFlags {
  measure?: true;
  pilot?: string;
  json?: true;
}

interface Planned {
  readonly study: Study;
  readonly plan: StudyPlan;
  readonly power: StudyPower;
  /** By cell. */
  readonly states: ReadonlyMap<string, string>;
}

async function planned(study: Study, flags: Flags): Promise<Planned> {
  const status = studyStatus(study);
  const speeds = new Map<string, number>();
  for (const { cell, speed } of status.cells) if (speed !== undefined) speeds.set(cell.recipe.model!, speed);
  if (flags.measure)
    for (const cell of study.cells) {
      const { model } = cell.recipe;
      if (!speeds.has(model!)) speeds.set(model!, await measureSpeed(cell));
    }
  const plan = await planStudy(study, { speed: (cell) => speeds.get(cell.recipe.model!) });
  const states = new Map(status.cells.map((report) => [report.cell.id, report.status]));
  const pilot = flags.pilot === undefined ? [] : readStudyResults(flags.pilot).rows;
  const power = await studyPower(study, pilot);
  return { study, plan, power, states };
}

function asJson({ study, plan, power, states }: Planned): object {
  const cells = plan.cells.map(({ cell, ...rest }) => ({ ...cell, status: states.get(cell.id), ...rest }));
  const { name, output, factors, tasks } = study;
  const { totals, advice, notes } = plan;
  return { name, output, factors, tasks, totals, power, advice, notes, cells };
}

function text({ study, plan, power, states }: Planned): string {
  const { factors, cells, tasks, output } = study;
  const names = factors.map(({ name }) => name);
  const table = textTable(
    [
      ["cell", ...names, "Rg", "steps", "tokens", "time", "disk", "state"],
      ...plan.cells.map((each) => [
        each.cell.id,
        ...names.map((name) => String(each.cell.levels[name])),
        known(each.generationRatio, (ratio) => String(Number(ratio.toPrecision(3)))),
        known(each.steps, count),
        known(each.tokens, short),
        known(each.seconds, duration),
        known(each.bytes, bytes),
        states.get(each.cell.id)!,
      ]),
    ],
    ["left", ...names.map(() => "left" as const), "right", "right", "right", "right", "right", "left"],
  );
  const { totals } = plan;
  const facts = [
    ["study", `${study.name}: ${counted(cells.length, "cell")} into ${output}`],
    ["factors", factors.map(({ name, labels }) => `${name} (${labels.length})`).join(", ")],
    ["tasks", tasks.map(({ task }) => task).join(", ")],
    ["tokens", known(totals.tokens, short)],
    ["time", known(totals.seconds, (seconds) => `${duration(seconds)}, one cell after the other`)],
    ...processFacts(plan, study),
    ["disk", `${known(totals.bytes, bytes)} when done, ${known(totals.peakBytes, bytes)} at most`],
    ...powerLines(power),
  ] as const;
  return [
    ink.dim(table[0]!),
    ...table.slice(1),
    "",
    ...facts.map(([name, value]) => `${ink.dim(name.padEnd(8))} ${value}`),
    ...[...plan.advice, ...plan.notes].map((note) => noteLine(note, process.stdout)),
  ].join("\n");
}

/** Of a study whose cells have several processes: how many run at once. */
function processFacts({ cells }: StudyPlan, { settings }: Study): [string, string][] {
  const counts = cells.map(({ processes }) => processes).sort((a, b) => b - a);
  const most = counts[0] ?? 1;
  if (most === 1) return [];
  const atOnce = counts.slice(0, settings.concurrency).reduce((sum, each) => sum + each, 0);
  const least = counts.at(-1)!;
  return [["processes", `${least === most ? most : `${least} to ${most}`} a cell, ${atOnce} at a time`]];
}

function known(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? "unknown" : format(value);
}

export async function runPlan(files: string[], flags: Flags): Promise<void> {
  if (files.length > 1 && flags.output !== undefined)
    throw new PromptlossError("--output is one study's folder, and there are several studies", {
      hint: "plan them one by one, or leave it out",
    });
  // All of them are checked before the first is measured.
  const studies = files.map((file) => studyOf(file, flags));
  const plans: Planned[] = [];
  for (const study of studies) plans.push(await planned(study, flags));
  const said = flags.json
    ? harmlessJson(plans.length === 1 ? asJson(plans[0]!) : plans.map(asJson), 2)
    : plans.map(text).join("\n\n");
  process.stdout.write(`${said}\n`);
}

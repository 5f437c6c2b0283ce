// The studio's folder as its routes ask for it: what a scan found is kept for a moment, as several pages ask at once.
import { statSync } from "node:fs";
import { basename, resolve, sep } from "node:path";
import { PromptlossError } from "../../errors.ts";
import type { Overview, RunCard } from "../api.ts";
import { readRunCard } from "./run.ts";
import { type RunPlace, type Scan, type StudyPlace, scanFolder } from "./scan.ts";
import { StudyReader } from "./study.ts";

/** Milliseconds that a scan counts as new, and how many times as long as it takes: a large folder is not always scanned. */
const FRESH = { least: 1000, times: 20 };

export class StudioFolder {
  readonly path: string;
  /** By the studies' ids: they keep what they have read. */
  readonly #readers = new Map<string, StudyReader>();
  #scan: { readonly until: number; readonly found: Scan } | undefined;

  /** @throws {PromptlossError} where there is no such folder */
  constructor(path: string) {
    this.path = resolve(path);
    if (statSync(this.path, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new PromptlossError(`${path}: there is no such folder`, {
        hint: "name the folder below which your runs and studies lie",
      });
  }

  run(id: string): RunPlace | undefined {
    return this.#found().runs.get(id) ?? this.#anew().runs.get(id);
  }

  /** The id of the run whose folder lies there; undefined where there is none below the studio's folder. */
  runAt(path: string): string | undefined {
    if (!path.startsWith(`${this.path}${sep}`)) return undefined;
    const at = ({ runs }: Scan): RunPlace | undefined => [...runs.values()].find((run) => run.path === path);
    return (at(this.#found()) ?? at(this.#anew()))?.id;
  }

  study(id: string): StudyPlace | undefined {
    return this.#found().studies.get(id) ?? this.#anew().studies.get(id);
  }

  studies(): readonly StudyPlace[] {
    return [...this.#found().studies.values()];
  }

  reader(place: StudyPlace): StudyReader {
    const reader = this.#readers.get(place.id) ?? new StudyReader(place);
    this.#readers.set(place.id, reader);
    return reader;
  }

  overview(): Overview {
    const { runs, studies, cut } = this.#found();
    const newestFirst = (a: RunCard, b: RunCard): number => (a.startedAt < b.startedAt ? 1 : -1);
    return {
      folder: basename(this.path),
      runs: [...runs.values()].flatMap((place) => readRunCard(place) ?? []).sort(newestFirst),
      studies: [...studies.values()].map((place) => this.reader(place).card()),
      cut,
    };
  }

  #found(): Scan {
    return this.#scan !== undefined && performance.now() < this.#scan.until ? this.#scan.found : this.#anew();
  }

  #anew(): Scan {
    const before = performance.now();
    const found = scanFolder(this.path);
    const now = performance.now();
    this.#scan = { until: now + Math.max(FRESH.least, FRESH.times * (now - before)), found };
    return found;
  }
}

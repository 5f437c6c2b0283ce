// Continuous batching: one running batch, which sequences join and leave at every step. A step reads one token of each
// sequence that runs, and a stretch of the prompts of those that join; the logits behind each give the next token. What a
// sequence begins with is taken from one that has read the same already. On an accelerator several steps follow each other
// before their tokens are read: a step takes its tokens from the one before, on the device.
import { setImmediate } from "node:timers/promises";
import { cat, noGrad, scope, type Tensor, zeros } from "@promptloss/torch";
import {
  type CausalLanguageModel,
  changesRope,
  KeyValueCache,
  LateNumbers,
  packSequences,
  strategyOf,
} from "../../models/index.ts";
import type { GenerationSettings } from "../options.ts";
import type { GeneratedSequence } from "../types.ts";
import { type Chosen, chooseTokens, chosenOf } from "./choose.ts";
import { rowsOf } from "./index-on.ts";
import { commonLength, PrefixStore } from "./prefix-store.ts";
import type { PromptTokens } from "./prompt.ts";
import { RecentTokens } from "./recent-tokens.ts";
import { Row } from "./row.ts";

export interface BatchEngineOptions {
  /** Sequences that run at once; 32 where left out. */
  readonly rows?: number;
  /**
   * Tokens of prompts that a step reads at most; all where left out. Fewer let the sequences that run go on while a long
   * prompt is read.
   */
  readonly promptTokens?: number;
  /**
   * Compute each sequence as if it ran alone, to the last bit, where the fused kernels serve: a step then reads few rows,
   * all in one way, and a prompt in parts. It matters in bfloat16, in which a last bit may decide between two tokens.
   */
  readonly alike?: boolean;
  /** Bytes of keys and values that are kept of sequences that have ended; none where left out. */
  readonly keptBytes?: number;
  /**
   * Steps whose tokens are read from the device together; where left out, 1 on the CPU and 8 elsewhere. Sequences join and
   * leave between two reads. It changes no token.
   */
  readonly stepsPerRead?: number;
}

/** What an engine has done since it was made. */
export interface EngineCounts {
  /** Forward passes. */
  readonly steps: number;
  /** Tokens that forward passes read. */
  readonly read: number;
  /** Tokens of prompts that were taken from sequences that had read them. */
  readonly shared: number;
}

/** Fewer tokens in common are read again: that takes less than to copy them. */
const LEAST_SHARED = 8;

interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The sequences of one request, and what becomes of it. */
class Group {
  readonly settings: GenerationSettings;
  readonly rows: readonly Row[];
  /** Those that have not joined yet, in turn. */
  readonly waiting: Row[];
  readonly #settle: Settle;
  readonly done: Promise<void>;
  failed = false;

  constructor(rows: readonly Row[], settings: GenerationSettings) {
    this.rows = rows;
    this.waiting = [...rows];
    this.settings = settings;
    let settle!: Settle;
    this.done = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle;
  }

  /** Whether nothing is left to do for it. */
  get over(): boolean {
    return (
      this.failed || this.settings.signal?.aborted === true || this.rows.every(({ end }) => end !== undefined)
    );
  }

  resolve(): void {
    this.#settle.resolve();
  }

  fail(error: unknown): void {
    this.failed = true;
    this.#settle.reject(error);
  }
}

interface Running {
  readonly row: Row;
  readonly group: Group;
}

/** A step whose numbers were read: those of the sequences that it chose a token for. */
interface ReadStep {
  readonly of: readonly Running[];
  readonly numbers: readonly number[];
}

/** Owns keys and values; free it when nothing runs. */
export class BatchEngine {
  readonly #model: CausalLanguageModel;
  readonly #rows: number;
  readonly #promptTokens: number;
  readonly #alike: boolean;
  readonly #kept: PrefixStore | undefined;
  readonly #stepsPerRead: number;
  readonly #groups = new Set<Group>();
  #cache: KeyValueCache;
  /** By row of the cache. */
  #running: Running[] = [];
  #looping: Promise<void> | undefined;
  #counts = { steps: 0, read: 0, shared: 0 };

  constructor(
    model: CausalLanguageModel,
    { rows = 32, promptTokens, alike = false, keptBytes = 0, stepsPerRead }: BatchEngineOptions = {},
  ) {
    this.#model = model;
    this.#alike = alike && !this.#readsWhole;
    this.#rows = this.#alike ? Math.min(rows, MOST_ALIKE) : rows;
    // Frequencies that change with a sequence's length need it whole, and make its tokens another sequence's of no use; so
    // does an encoder, whose states depend on all of a prompt.
    this.#promptTokens = this.#readsWhole
      ? Number.POSITIVE_INFINITY
      : (promptTokens ?? Number.POSITIVE_INFINITY);
    this.#kept = keptBytes > 0 && !this.#readsWhole ? new PrefixStore(keptBytes) : undefined;
    this.#stepsPerRead = stepsPerRead ?? strategyOf(model.device).stepsPerRead;
    this.#cache = new KeyValueCache(model.architecture, 0, FIRST_ROOM);
  }

  get counts(): EngineCounts {
    return { ...this.#counts };
  }

  /** Sequences in the running batch. */
  get running(): number {
    return this.#running.length;
  }

  /** @returns by prompt, in the order given, its sequences */
  async run(prompts: readonly PromptTokens[], settings: GenerationSettings): Promise<GeneratedSequence[][]> {
    const all = prompts.map((prompt) =>
      Array.from({ length: settings.sequences }, (_, sequence) => new Row(prompt, sequence, settings)),
    );
    const group = new Group(all.flat(), settings);
    if (!group.over) {
      this.#groups.add(group);
      this.#looping ??= this.#loop().finally(() => {
        this.#looping = undefined;
      });
      await group.done;
    }
    return all.map((rows) => rows.map((row) => row.result()));
  }

  /** Frees keys and values. */
  free(): void {
    this.#cache.free();
    this.#kept?.free();
  }

  [Symbol.dispose](): void {
    this.free();
  }

  get #readsWhole(): boolean {
    const { ropes, encoder } = this.#model.architecture;
    return encoder !== undefined || ropes.some(({ long }) => long !== undefined);
  }

  async #loop(): Promise<void> {
    for (;;) {
      this.#leave();
      if (this.#groups.size === 0) break;
      try {
        this.#join();
        for (const step of noGrad(() => this.#steps())) await this.#take(step);
      } catch (error) {
        // What fails for all, as numbers that are not finite, ends all that runs.
        for (const group of [...this.#groups]) group.fail(error);
      }
      for (const { row } of this.#running) row.drop();
      // Others get their turn between two reads: signals, requests, terminals.
      await setImmediate();
    }
    // Nothing waits: the memory goes back.
    this.#cache.free();
    this.#cache = new KeyValueCache(this.#model.architecture, 0, FIRST_ROOM);
  }

  /** Takes out sequences that have ended, and settles the requests that are over. */
  #leave(): void {
    for (let place = this.#running.length - 1; place >= 0; place--) {
      const { row, group } = this.#running[place]!;
      if (row.end === undefined && !group.over) continue;
      // Behind a step that failed, the cache may lack what the row has read.
      if (!group.failed) this.#keep(place, row);
      this.#cache.remove(place);
      const last = this.#running.pop()!;
      if (place < this.#running.length) this.#running[place] = last;
    }
    for (const group of this.#groups) {
      if (!group.over) continue;
      this.#groups.delete(group);
      if (!group.failed) group.resolve();
    }
  }

  #keep(place: number, row: Row): void {
    if (this.#kept === undefined || row.read < LEAST_SHARED) return;
    const held = this.#cache.hold(place, this.#ahead + row.read);
    this.#kept.add(row.all.slice(0, row.read), held);
  }

  /** Tokens of prompts that a step may read. */
  get #stepTokens(): number {
    if (!this.#alike) return this.#promptTokens;
    return Math.min(this.#promptTokens, Math.max(1, MOST_ALIKE - this.#running.length));
  }

  /** Tokens that an adapter puts before every sequence. */
  get #ahead(): number {
    return this.#model.adapter?.prefixTokens ?? 0;
  }

  /** Lets waiting sequences in, of one request after the other, as far as rows and tokens of this step go. */
  #join(): void {
    let tokens = this.#stepTokens;
    for (const { row } of this.#running) if (row.unread > 1) tokens -= row.unread;
    const joined: Row[] = this.#running.flatMap(({ row }) => (row.unread > 1 ? [row] : []));
    let groups = [...this.#groups].filter(({ waiting }) => waiting.length > 0);
    while (groups.length > 0) {
      for (const group of groups) {
        if (this.#running.length >= this.#rows || tokens <= 0) return;
        const row = group.waiting[0]!;
        // It waits one step for tokens that another is about to read.
        if (this.#waitsFor(row, joined)) continue;
        group.waiting.shift();
        this.#begin(row, group);
        joined.push(row);
        tokens -= row.unread;
      }
      groups = groups.filter(({ waiting }) => waiting.length > 0 && !this.#waitsFor(waiting[0]!, joined));
    }
  }

  #waitsFor(row: Row, joined: readonly Row[]): boolean {
    if (this.#readsWhole) return false;
    const usable = this.#mostShared(row)?.tokens ?? 0;
    return joined.some((other) => {
      const common = Math.min(commonLength(other.all, row.all), row.all.length - 1);
      return common >= LEAST_SHARED && common > Math.max(usable, other.read);
    });
  }

  /** The running sequence that has read the most of what a row begins with. */
  #mostShared(row: Row): { place: number; tokens: number } | undefined {
    let best: { place: number; tokens: number } | undefined;
    this.#running.forEach(({ row: other }, place) => {
      const tokens = Math.min(commonLength(other.all, row.all), other.read, row.all.length - 1);
      if (tokens >= LEAST_SHARED && tokens > (best?.tokens ?? 0)) best = { place, tokens };
    });
    return best;
  }

  #begin(row: Row, group: Group): void {
    const running = this.#readsWhole ? undefined : this.#mostShared(row);
    const kept = this.#kept?.find(row.all.slice(0, -1));
    const place = this.#cache.add();
    this.#running.push({ row, group });
    if (kept !== undefined && kept.tokens >= LEAST_SHARED && kept.tokens > (running?.tokens ?? 0)) {
      this.#cache.put(place, kept.held);
      this.#cache.truncate(this.#ahead + kept.tokens, { row: place });
      row.read = kept.tokens;
    } else if (running !== undefined) {
      this.#cache.copyPrefix(running.place, place, this.#ahead + running.tokens);
      row.read = running.tokens;
    }
    this.#counts.shared += row.read;
  }

  /** Takes steps until their tokens have to be read, and reads them. */
  #steps(): ReadStep[] {
    const late = new LateNumbers<readonly Running[]>();
    const most = this.#running.some(({ row }) => row.constraint !== undefined) ? 1 : this.#stepsPerRead;
    const recent = most > 1 ? new RecentTokens(this.#running, most, this.#model.device) : undefined;
    try {
      for (let step = 0; step === 0 || (step < most && this.#goesOn()); step++)
        scope(() => this.#step(late, recent));
      return late.read();
    } finally {
      late.free();
      recent?.free();
    }
  }

  /** Whether another step can be taken without a look at the tokens of the last. */
  #goesOn(): boolean {
    const chosen = this.#running.filter(({ row }) => row.pending > 0);
    // Somebody waits for the first token of a sequence.
    return (
      chosen.length > 0 &&
      chosen.every(({ row }) => row.length > 1 && row.length < row.room && !this.#readsAnew(row))
    );
  }

  /** Whether what a row has read is of no use any more. */
  #readsAnew({ read }: Row): boolean {
    return read > 0 && changesRope(this.#model.architecture, read, 1);
  }

  /** Reads, and chooses the next token of each sequence that is read to its end. */
  #step(late: LateNumbers<readonly Running[]>, recent: RecentTokens | undefined): void {
    let tokens = this.#stepTokens;
    const parts = this.#running.map(({ row }, place) => {
      if (this.#readsAnew(row)) {
        this.#cache.truncate(0, { row: place });
        row.read = 0;
      }
      const length = row.unread === 1 ? 1 : Math.max(1, Math.min(row.unread, tokens));
      if (row.unread > 1) tokens -= length;
      const from = row.read;
      row.read += length;
      // Of a token that is on the device, any other in its place.
      return row.pending > 0 ? [0] : row.all.slice(from, from + length);
    });
    const { hidden, starts } = this.#read(parts, recent);
    this.#counts.steps++;
    this.#counts.read += starts[parts.length]!;
    const ready = this.#running.flatMap(({ row }, place) => (row.unread === 0 ? [place] : []));
    if (ready.length === 0) return;
    const chosenFor = ready.map((place) => this.#running[place]!);
    const { ids, numbers } = chooseTokens(
      this.#logits(lastOf(hidden, starts, ready)),
      chosenFor.map(({ row }) => row),
      recent?.of(ready),
    );
    late.add(chosenFor, numbers);
    recent?.add(ids, ready);
    for (const { row } of chosenFor) row.pending++;
  }

  /** Hidden states of the next tokens of each row, and where those of each begin. */
  #read(
    parts: readonly (readonly number[])[],
    recent: RecentTokens | undefined,
  ): { hidden: Tensor; starts: Int32Array } {
    const tokens = parts.reduce((sum, { length }) => sum + length, 0);
    const filling = this.#alike ? Math.max(0, LEAST_ALIKE - tokens) : 0;
    for (let i = 0; i < filling; i++) this.#cache.add();
    const packed = packSequences([...parts, ...new Array<number[]>(filling).fill([0])]);
    const onDevice = this.#running.flatMap(({ row }, place) => (row.pending > 0 ? [place] : []));
    const deviceIds = onDevice.length > 0 ? recent?.input(packed, onDevice) : undefined;
    const hidden = this.#model.forward(packed, {
      ...{ cache: this.#cache, throughCache: this.#alike },
      ...(deviceIds && { deviceIds }),
    });
    for (let i = 0; i < filling; i++) this.#cache.remove(parts.length + filling - 1 - i);
    return { hidden: filling === 0 ? hidden : hidden.narrow(0, 0, tokens), starts: packed.starts };
  }

  /** [rows, vocabulary] float32. */
  #logits(hidden: Tensor): Tensor {
    const [rows, width] = hidden.shape as [number, number];
    if (!this.#alike || rows >= LEAST_ALIKE) return this.#model.logits(hidden).float();
    const filled = cat(
      [hidden, zeros([LEAST_ALIKE - rows, width], { dtype: hidden.dtype, device: hidden.device })],
      0,
    );
    return this.#model.logits(filled).float().narrow(0, 0, rows);
  }

  /** Gives each sequence its token, tells of it, and finds out which end. What a listener throws fails its request. */
  async #take({ of, numbers }: ReadStep): Promise<void> {
    const chosen = chosenOf(
      numbers,
      of.map(({ row }) => row),
      this.#model.head.shape[0]!,
    );
    const byGroup = new Map<Group, { row: Row; chosen: Chosen }[]>();
    of.forEach(({ row, group }, i) => {
      // Ended by a token before, which was read together with this one.
      if (row.end !== undefined || group.over) return;
      const taken = byGroup.get(group) ?? [];
      byGroup.set(group, taken);
      taken.push({ row, chosen: chosen[i]! });
    });
    await Promise.all(
      Array.from(byGroup, ([group, taken]) =>
        takeTokens(taken, group.settings).catch((error: unknown) => group.fail(error)),
      ),
    );
  }
}

/** Rows of products that are computed in one way, each by itself (packages/torch/native/ops/kernels/few_rows.cpp). */
const LEAST_ALIKE = 5;
const MOST_ALIKE = 64;

/** Tokens of a sequence that there is room for at first; the cache grows by doubling. */
const FIRST_ROOM = 128;

/** Hidden states behind the last tokens of some sequences. */
function lastOf(hidden: Tensor, starts: Int32Array, places: readonly number[]): Tensor {
  return rowsOf(
    hidden,
    places.map((place) => starts[place + 1]! - 1),
  );
}

async function takeTokens(
  taken: readonly { readonly row: Row; readonly chosen: Chosen }[],
  { stopCriterion, onTokens }: GenerationSettings,
): Promise<void> {
  for (const { row, chosen } of taken) row.take(chosen.id, chosen.logProbability);
  await onTokens?.(
    taken.map(({ row: { prompt, sequence }, chosen: { id, logProbability } }) => ({
      prompt,
      sequence,
      id,
      ...(logProbability !== undefined && { logProbability }),
    })),
  );
  const open = taken.flatMap(({ row }) => (row.end === undefined ? [row] : []));
  const reasons = open.length === 0 ? undefined : await stopCriterion?.(open);
  open.forEach((row, i) => {
    const reason = reasons?.[i];
    if (reason !== undefined) row.end = { finishReason: "stop", stopReason: reason };
    else if (row.ids.length >= row.room) row.end = { finishReason: "length" };
  });
}

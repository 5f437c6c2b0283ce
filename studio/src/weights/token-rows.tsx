// The rows, token by token, each on a ground as strong as its weight. A screen reader hears the class and the weight of a
// run of tokens before its text; arrow keys walk from token to token.
import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { TOKEN_CLASSES } from "../../../packages/promptloss/src/data/example.ts";
import { partOfClass } from "../../../packages/promptloss/src/data/token-parts.ts";
import { FIT_WORDS, UNTRAINED } from "../../../packages/promptloss/src/preview/words.ts";
import { wpOfPlw } from "../../../packages/promptloss/src/statistics/effect/plw.ts";
import type { TokenRow, WeightsAnswer } from "../../../packages/promptloss/src/studio/weights/answer.ts";
import type { WeighedRow } from "../../../packages/promptloss/src/studio/weights/token-weights.ts";
import { count, trimmed } from "../format.ts";
import { lossAt } from "./measure.ts";
import { overflow, weighed } from "./state.ts";
import { CLASS_WORDS, runsOf, shownText, type TokenRun } from "./token-runs.ts";

/** Rows that are shown at a time: what a browser shades anew while the slider moves. */
const PAGE = 5;

export function TokenRows({ rows, unit }: Pick<WeightsAnswer, "rows" | "unit">) {
  const page = useSignal(0);
  const pages = Math.ceil(rows.length / PAGE);
  const at = Math.min(page.value, pages - 1);
  const from = at * PAGE;
  const turn = (by: number) => () => {
    page.value = Math.max(0, Math.min(pages - 1, at + by));
  };
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">Tokens</h2>
      <p class="scale note">
        <span class="swatches" aria-hidden="true">
          {[0, 0.01, 0.1, 0.5, 1].map((weight) => (
            <span key={weight} class="run" style={groundOf(weight)}>
              {weight}
            </span>
          ))}
        </span>{" "}
        The ground of a token is as strong as its weight, the line under it has the color of its part of the
        loss. The first token of a row is never predicted.
      </p>
      {rows.slice(from, from + PAGE).map((row, i) => (
        <Row key={`${from + i} ${row.row}`} row={row} index={from + i} unit={unit} />
      ))}
      {pages > 1 && (
        <nav class="pager" aria-label="Rows">
          <button type="button" disabled={at === 0} onClick={turn(-1)}>
            Previous
          </button>
          <span role="status">
            rows {from + 1} to {Math.min(rows.length, from + PAGE)} of {count(rows.length)}
          </span>
          <button type="button" disabled={at === pages - 1} onClick={turn(1)}>
            Next
          </button>
        </nav>
      )}
    </section>
  );
}

/** The strength of a ground, even in w_p as the colors of `promptloss preview`: 0.01 and 0.1 can be told apart. */
function groundOf(weight: number): string {
  return `--strength:${Math.round(100 * Math.min(1, wpOfPlw(weight)))}%`;
}

function Row({ row, index, unit }: { row: TokenRow; index: number; unit: string }) {
  const own = useComputed(() => (typeof weighed.value === "string" ? undefined : weighed.value.rows[index]));
  const facts = useComputed(() => rowFacts(row, own.value));
  const fault = useComputed(() => rowFault(own.value));
  const current = useSignal<number | undefined>(undefined);
  const details = useComputed(() =>
    current.value === undefined ? "" : tokenFacts(row, index, current.value, own.value),
  );
  const body = useMemo(
    () => runsOf(row).map((run) => <Run key={run.from} row={row} run={run} current={current} own={own} />),
    [row, index],
  );
  const name = `${unit} ${row.row}`;
  return (
    <article class="row" aria-label={`Tokens of ${name}`}>
      <p class="row-head">
        <strong>{name}</strong> <span class="muted">{facts}</span>
        <span class="warn">{fault}</span>
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a group of words, no fieldset */}
      <div
        class="tokens"
        role="group"
        aria-label={`Text of ${name}; arrow keys walk over its tokens`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys walk over its tokens
        tabIndex={0}
        onKeyDown={(event) => walk(event, current, row.ids.length)}
        onPointerOver={({ target }) => {
          const place = (target as HTMLElement).dataset.place;
          if (place !== undefined) current.value = Number(place);
        }}
        onPointerLeave={() => {
          current.value = undefined;
        }}
        onBlur={() => {
          current.value = undefined;
        }}
      >
        {body}
      </div>
      <p class="details muted" role="status">
        {details}
      </p>
    </article>
  );
}

type Own = ReadonlySignal<WeighedRow | undefined>;

interface RunProps {
  readonly row: TokenRow;
  readonly run: TokenRun;
  readonly current: ReadonlySignal<number | undefined>;
  readonly own: Own;
}

/** Its tokens are made once; the ground and the words before them follow the weight. */
function Run({ row: { texts, special }, run: { name, from, to }, current, own }: RunProps) {
  const weight = useComputed(() => own.value?.tokens.weights[from] ?? 0);
  const ground = useComputed(() => groundOf(weight.value));
  const kind = useComputed(() => `run ${partOfClass(name)}${weight.value > 1 ? " above" : ""}`);
  const words = useComputed(() => {
    const isCut = isWithin(own.value, from) && isWithin(own.value, to - 1);
    return ` ${CLASS_WORDS[name]}, ${isCut ? "cut off" : `weight ${trimmed(weight.value, 4)}`}: `;
  });
  const marks = new Set(special);
  return (
    <span class={kind} style={ground}>
      <span class="unseen">{words}</span>
      {texts.slice(from, to).map((text, i) => (
        <Token
          key={from + i}
          place={from + i}
          text={text}
          isSpecial={marks.has(from + i)}
          current={current}
          own={own}
        />
      ))}
    </span>
  );
}

/** Whether a token is cut off. */
function isWithin(own: WeighedRow | undefined, place: number): boolean {
  return own !== undefined && place >= own.cut[0] && place < own.cut[1];
}

interface TokenProps {
  readonly place: number;
  readonly text: string;
  readonly isSpecial: boolean;
  readonly current: ReadonlySignal<number | undefined>;
  readonly own: Own;
}

function Token({ place, text, isSpecial, current, own }: TokenProps) {
  const marks = useComputed(() =>
    [
      "token",
      ...(isSpecial ? ["special"] : []),
      ...(current.value === place ? ["current"] : []),
      ...(isWithin(own.value, place) ? ["cut"] : []),
    ].join(" "),
  );
  return (
    <span class={marks} data-place={place}>
      {shownText(text)}
    </span>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10 };

function walk(event: KeyboardEvent, current: { value: number | undefined }, length: number): void {
  const step = STEPS[event.key];
  const last = length - 1;
  const before = current.value;
  if (event.key === "Home") current.value = 0;
  else if (event.key === "End") current.value = last;
  else if (step === undefined) return;
  else current.value = before === undefined ? 0 : Math.max(0, Math.min(last, before + step));
  event.preventDefault();
}

function rowFacts({ ids }: TokenRow, own: WeighedRow | undefined): string {
  const tokens = `${count(ids.length)} ${ids.length === 1 ? "token" : "tokens"}`;
  return own === undefined ? tokens : `${tokens}, ${count(own.kept?.trainedCount ?? 0)} trained`;
}

/** What keeps a row from training as it is, in words; empty for nothing. */
function rowFault(own: WeighedRow | undefined): string {
  if (own === undefined) return "";
  const { fit, kept } = own;
  if (fit === "refused")
    return ` longer than ${count(overflow.value!.maxLength)} tokens: training stops at it, unless longer rows are cut or left out`;
  if (fit === "kept" || fit === "prompt-cut" || fit === "completion-cut")
    return kept?.trainedCount === 0 ? ` ${UNTRAINED}` : ` ${FIT_WORDS[fit]}`;
  return ` ${FIT_WORDS[fit]}`;
}

function tokenFacts(
  { ids, texts, classes, special }: TokenRow,
  index: number,
  place: number,
  own: WeighedRow | undefined,
): string {
  const loss = own && lossAt(index, place, own);
  const text =
    texts[place] === "" ? "the rest of a character" : `“${shownText(texts[place]!).replaceAll("\n", "")}”`;
  const weight = own?.tokens.weights[place];
  const worth = place === 0 ? "never predicted" : `weight ${weight === undefined ? "–" : trimmed(weight, 4)}`;
  return [
    `token ${place + 1} of ${ids.length}: ${text}`,
    `id ${ids[place]}${special.includes(place) ? ", special" : ""}`,
    CLASS_WORDS[TOKEN_CLASSES[classes[place]!]!],
    isWithin(own, place) ? "cut off" : worth,
    ...(loss === undefined ? [] : [`loss ${trimmed(loss)}`]),
  ].join(" · ");
}

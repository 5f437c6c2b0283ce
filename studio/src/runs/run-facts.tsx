// What a run's folder says beside its metrics: notes, facts, probes, the recipe.
import type { RunDetail } from "promptloss/studio";
import { bytes, count, duration, trimmed } from "../format.ts";
import { CopyButton } from "../shell/copy-button.tsx";

export function RunFacts({ run }: { run: RunDetail }) {
  const { notes, checkpoints, probes, recipe } = run;
  return (
    <div class="facts">
      <section aria-labelledby="notes">
        <h2 id="notes">Notes</h2>
        {notes.length === 0 ? (
          <p class="muted">None.</p>
        ) : (
          <ul>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
        <p>
          {checkpoints.length === 0
            ? "No checkpoint is on the disk."
            : `Checkpoints on the disk: step ${[...checkpoints].reverse().join(", ")}.`}
        </p>
        <h2>Facts</h2>
        <Pairs pairs={factsOf(run)} />
      </section>
      <section aria-labelledby="recipe">
        <h2 id="recipe">Recipe</h2>
        <CopyButton text={recipe} what="the recipe" />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled with the keyboard, too */}
        <pre tabIndex={0}>{recipe}</pre>
        {Object.keys(probes).length > 0 && (
          <details>
            <summary>Probes: {count(Object.keys(probes).length)} numbers of the finished run</summary>
            <Pairs pairs={Object.entries(probes).map(([name, value]) => [name, trimmed(value, 5)])} />
          </details>
        )}
      </section>
    </div>
  );
}

function factsOf({ facts, end, promptLossWeight }: RunDetail): (readonly [string, string])[] {
  const all: Readonly<Record<string, string | undefined>> = {
    "prompt loss weight": trimmed(promptLossWeight, 6),
    normalization: `${facts.normalization}, over the ${facts.reduceOver}`,
    rows: `${count(facts.rows)}, and ${count(facts.heldOutRows)} held out`,
    parameters: `${count(facts.parameters)}, ${count(facts.trainable)} of them trained`,
    device: facts.device,
    precision: facts.precision,
    threads: count(facts.threads),
    processes: facts.processes === undefined ? undefined : count(facts.processes),
    seed: String(facts.seed),
    "trained for": end === null ? undefined : duration(end.seconds),
    "tokens trained on": end === null ? undefined : count(end.tokens),
    "weights of step": end?.writtenStep === undefined ? undefined : count(end.writtenStep),
    "peak memory": end === null ? undefined : bytes(end.peakMemory),
    processor: facts.processor,
    platform: facts.platform,
    libtorch: facts.libtorch,
    promptloss: facts.promptloss,
    fingerprint: facts.fingerprint.slice(0, 16),
  };
  return Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, string])[] }) {
  return (
    <div class="wide">
      <table>
        <tbody>
          {pairs.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

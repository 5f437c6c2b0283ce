// The form that writes a recipe and starts a run: fields with their problems, the recipe to copy, and the run once it is
// there.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { RunForm as Fields } from "../../../packages/promptloss/src/studio/weights/recipe-form.ts";
import { CopyButton } from "../shell/copy-button.tsx";
import { hrefOf } from "../shell/route.ts";
import { checked, form, problemAt, recipe, startedJob, typed, uncheckedBecause } from "./run-state.ts";
import { type JobProgress, linesFile, progressOf, startRun } from "./start-run.ts";
import { chosenTokenizer, input, lengths, messageOf, otherWeights, PASTED, settings } from "./state.ts";

interface FieldProps {
  readonly name: keyof Fields;
  /** The key of the recipe that it stands for, for its problems. */
  readonly path: string;
  readonly label: string;
}

function set(name: keyof Fields, value: string): void {
  if (name === "completionWeight") otherWeights.value = { ...otherWeights.value, completion: value };
  else if (name === "endWeight") otherWeights.value = { ...otherWeights.value, end: value };
  else if (name === "maxLength" || name === "overflow") lengths.value = { ...lengths.value, [name]: value };
  else typed.value = { ...typed.value, [name]: value };
}

function TextField({ name, path, label }: FieldProps) {
  const problem = problemAt(path);
  const id = `run-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        value={String(form.value[name])}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        onInput={({ currentTarget }) => set(name, currentTarget.value)}
      />
      <Fault id={`${id}-problem`} text={problem} />
    </div>
  );
}

function ChoiceField({
  name,
  path,
  label,
  choices,
}: FieldProps & { choices: readonly (readonly [string, string])[] }) {
  const problem = problemAt(path);
  const id = `run-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={String(form.value[name])}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        onChange={({ currentTarget }) => set(name, currentTarget.value)}
      >
        {choices.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      <Fault id={`${id}-problem`} text={problem} />
    </div>
  );
}

function Fault({ id, text }: { id: string; text: string | undefined }) {
  return text === undefined ? null : (
    <p class="fault" id={id}>
      {text}
    </p>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      <div class="fields">{children}</div>
    </fieldset>
  );
}

const METHODS = [
  ["full", "the model's own weights"],
  ["lora", "a low-rank adapter (LoRA)"],
] as const;

const SCHEDULES = [
  ["cosine", "cosine"],
  ["linear", "linear"],
  ["constant", "constant"],
] as const;

const OVERFLOWS = [
  ["", "stop the run"],
  ["drop", "leave them out"],
  ["truncate-prompt", "cut the prompt from the left"],
  ["truncate-completion", "cut from the right"],
] as const;

/** Paths of recipe keys that have a field. */
const SHOWN = [
  "model",
  "data",
  "output",
  "loss.completionWeight",
  "loss.perClass",
  "maxLength",
  "overflow",
  "seed",
  "training.epochs",
  "training.batchSize",
  "training.learningRate",
  "training.schedule",
  "training.warmupRatio",
  "lora.rank",
  "evaluation",
] as const;

export function RunForm() {
  const others = (checked.value?.problems ?? []).filter(
    ({ path }) => !SHOWN.some((shown) => path === shown || path.startsWith(`${shown}.`)),
  );
  return (
    <section class="train" aria-labelledby="train">
      <h2 id="train">Train with this weight</h2>
      <div class="pair">
        <form onSubmit={(event) => event.preventDefault()} autocomplete="off">
          <Group title="Files">
            <TextField name="model" path="model" label="Model" />
            <TextField name="data" path="data" label="Data" />
            <TextField name="output" path="output" label="Output folder" />
          </Group>
          <Group title="Other weights">
            <TextField name="completionWeight" path="loss.completionWeight" label="Completion (1)" />
            <TextField name="endWeight" path="loss.perClass" label="Stop token (1)" />
          </Group>
          <Group title="Training">
            <ChoiceField name="method" path="lora.kind" label="Trained are" choices={METHODS} />
            {form.value.method === "lora" && <TextField name="rank" path="lora.rank" label="Rank" />}
            <TextField name="epochs" path="training.epochs" label="Epochs" />
            <TextField name="batchSize" path="training.batchSize" label="Rows per step" />
            <TextField name="learningRate" path="training.learningRate" label="Learning rate" />
            <ChoiceField name="schedule" path="training.schedule" label="Schedule" choices={SCHEDULES} />
            <TextField name="warmupRatio" path="training.warmupRatio" label="Warm-up, share of steps" />
            <TextField name="heldOut" path="evaluation" label="Held out, share of rows" />
            <TextField name="maxLength" path="maxLength" label="Most tokens of a row" />
            <ChoiceField name="overflow" path="overflow" label="Longer rows" choices={OVERFLOWS} />
            <TextField name="seed" path="seed" label="Seed" />
          </Group>
          {others.length > 0 && (
            <ul class="fault">
              {others.map(({ path, message }) => (
                <li key={path}>
                  {path === "" ? "" : `${path}: `}
                  {message}
                </li>
              ))}
            </ul>
          )}
          <Start />
        </form>
        <div>
          <h3>Recipe</h3>
          <p class="note">
            Save it as recipe.yaml beside the data, and <code>promptloss train recipe.yaml</code> trains by
            it.
          </p>
          {uncheckedBecause.value !== undefined && <p class="fault">{uncheckedBecause}</p>}
          {checked.value !== undefined && (
            <>
              <CopyButton text={checked.value.yaml} what="the recipe" />
              {input.value.name === PASTED && <SaveRows />}
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled with the keyboard, too */}
              <pre tabIndex={0}>{checked.value.yaml}</pre>
            </>
          )}
        </div>
      </div>
    </section>
  );
}

/** Pasted rows are in no file that a recipe could name. */
function SaveRows() {
  const failure = useSignal<string | undefined>(undefined);
  const save = async (): Promise<void> => {
    try {
      const file = await linesFile(input.value);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = file.name;
      link.click();
      URL.revokeObjectURL(link.href);
      failure.value = undefined;
    } catch (error) {
      failure.value = messageOf(error);
    }
  };
  return (
    <p>
      <button type="button" onClick={() => void save()}>
        Save the rows as rows.jsonl
      </button>{" "}
      <span class="fault">{failure}</span>
    </p>
  );
}

/** Why no run can be started; undefined where one can. */
function obstacle(): string | undefined {
  if (settings.value?.jobs !== true) return "This studio takes no jobs: start it with --jobs FOLDER.";
  const { trains, name } = chosenTokenizer.value ?? {};
  if (trains === undefined)
    return `Runs start from a model that the studio serves, and ${name ?? "this"} is none: name it when you start the studio.`;
  if ((checked.value?.problems.length ?? 0) > 0)
    return "The recipe has problems: they stand at their fields.";
  return undefined;
}

/** Milliseconds between two looks at a job. */
const LOOK = 1000;

const ENDED: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);

function Start() {
  const why = obstacle();
  const failure = useSignal<string | undefined>(undefined);
  const starting = useSignal(false);
  const start = async (): Promise<void> => {
    starting.value = true;
    failure.value = undefined;
    try {
      startedJob.value = (await startRun(input.value, recipe.value, chosenTokenizer.value!.trains!)).id;
    } catch (error) {
      failure.value = messageOf(error);
    }
    starting.value = false;
  };
  return (
    <div class="start">
      <button
        type="button"
        class="primary"
        disabled={why !== undefined || starting.value}
        aria-describedby={why === undefined ? undefined : "obstacle"}
        onClick={() => void start()}
      >
        Start a run
      </button>
      {why !== undefined && (
        <p class="muted" id="obstacle">
          {why}
        </p>
      )}
      {failure.value !== undefined && (
        <p class="problem" role="alert">
          {failure}
        </p>
      )}
      {startedJob.value !== undefined && <Started key={startedJob.value} id={startedJob.value} />}
    </div>
  );
}

/** Where a job stands, with a link to its run as soon as that has a folder. */
function Started({ id }: { id: string }) {
  const progress = useSignal<JobProgress | undefined>(undefined);
  useEffect(() => {
    const ending = new AbortController();
    const look = async (): Promise<void> => {
      while (!ending.signal.aborted) {
        const found = await progressOf(id, ending.signal).catch(() => undefined);
        if (found !== undefined) progress.value = found;
        if (found !== undefined && ENDED.has(found.status)) return;
        await new Promise((resolve) => setTimeout(resolve, LOOK));
      }
    };
    void look();
    return () => ending.abort();
  }, [id]);
  const { status = "queued", run = null, error = null } = progress.value ?? {};
  return (
    <div role="status">
      <p>
        {id} is {status}.{" "}
        {run !== null && (
          <a href={hrefOf("runs", [run])}>{ENDED.has(status) ? "Look at its run" : "Watch it live"}</a>
        )}
      </p>
      {error !== null && <p class="fault">{error.message}</p>}
    </div>
  );
}

// Rows: pasted, or of a file whose text the browser sends. Beside them what they are read and encoded with.
import { count } from "../format.ts";
import {
  busy,
  CONTAINERS,
  chosenTokenizer,
  input,
  notice,
  PASTED,
  refusal,
  setInput,
  settings,
} from "./state.ts";

/** Rows to look at first: one of each length, and one whose data carries weights of its own. */
const EXAMPLE = [
  '{"instruction": "Classify the sentiment of the review.", "input": "The plot was thin, but the actors saved every scene.", "output": "mixed"}',
  '{"instruction": "Name the capital of France.", "output": "Paris"}',
  '{"instruction": "Explain why the sky is blue.", "output": "Air scatters short wavelengths of sunlight far more than long ones, so blue light reaches us from all of the sky.", "weight": 0.5}',
].join("\n");

const MIB = 1024 * 1024;

/** A part of a file may be sent where rows are lines. */
const LINES = /\.(jsonl|ndjson|csv|tsv|txt|md)$/i;

async function choose(file: File, most: number): Promise<void> {
  notice.value = undefined;
  if (file.size <= most) {
    setInput({ text: await file.text(), name: file.name, container: "" });
    return;
  }
  const sizes = `${file.name} has ${count(Math.ceil(file.size / MIB))} MiB, and ${count(most / MIB)} MiB are the most`;
  if (!LINES.test(file.name)) {
    setInput({ text: "" });
    notice.value = `${sizes}. Take a part of its rows; promptloss inspect and preview read files of any size.`;
    return;
  }
  const part = await file.slice(0, most).text();
  setInput({ text: part.slice(0, part.lastIndexOf("\n") + 1), name: file.name, container: "" });
  notice.value = `${sizes}: its first lines are taken.`;
}

function paste(text: string): void {
  notice.value = undefined;
  setInput({ text, name: PASTED });
}

export function RowsForm() {
  const { text, name, container, tokenizer, template, turns } = input.value;
  const { tokenizers = [], templates = [], textBytes = 0 } = settings.value ?? {};
  const isFile = name !== PASTED;
  return (
    <section class="rows" aria-label="Rows">
      <div class="field">
        <label for="rows">
          Rows: JSON lines, a JSON list, or CSV; Alpaca, prompt and completion, messages, ShareGPT
        </label>
        <textarea
          id="rows"
          rows={8}
          spellcheck={false}
          placeholder='{"instruction": "…", "input": "…", "output": "…"}'
          value={isFile && text.length > SHOWN ? "" : text}
          disabled={isFile && text.length > SHOWN}
          onInput={({ currentTarget }) => paste(currentTarget.value)}
        />
      </div>
      <div class="controls">
        {/* How much of a file may be sent is the server's to say. */}
        {settings.value !== undefined && (
          <label>
            File{" "}
            <input
              type="file"
              accept=".jsonl,.ndjson,.json,.csv,.tsv,.txt,.md"
              onChange={({ currentTarget }) => {
                const [file] = currentTarget.files ?? [];
                if (file !== undefined) void choose(file, textBytes);
              }}
            />
          </label>
        )}
        <button type="button" onClick={() => paste(EXAMPLE)}>
          Use example rows
        </button>
        {text !== "" && (
          <button type="button" onClick={() => paste("")}>
            Clear
          </button>
        )}
        {isFile && text !== "" && (
          <span class="muted">
            {name}, {count(text.length)} characters
          </span>
        )}
      </div>
      <div class="controls">
        <label>
          Tokenizer{" "}
          <select
            value={tokenizer}
            onChange={({ currentTarget }) => setInput({ tokenizer: currentTarget.value })}
          >
            {tokenizers.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name} {each.kind === "served" ? "(served)" : ""}
              </option>
            ))}
          </select>
        </label>
        <label>
          Template{" "}
          <select
            value={template}
            onChange={({ currentTarget }) => setInput({ template: currentTarget.value })}
          >
            <option value="auto">the model's own, or alpaca</option>
            <option value="tokenizer">the model's own</option>
            {templates.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          Trained turns{" "}
          <select
            value={turns}
            onChange={({ currentTarget }) => setInput({ turns: currentTarget.value as "all" | "last" })}
          >
            <option value="all">all of the assistant's</option>
            <option value="last">the last</option>
          </select>
        </label>
        <label>
          The text is{" "}
          <select
            value={container}
            onChange={({ currentTarget }) => setInput({ container: currentTarget.value })}
          >
            {CONTAINERS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <span class="muted" role="status">
          {busy.value ? "Reading …" : ""}
        </span>
      </div>
      {settings.value !== undefined && tokenizers.length === 0 && (
        <p class="problem" role="alert">
          There is no tokenizer: serve a model (<code>promptloss studio FOLDER MODEL</code>), or put a model's
          folder below the studio's.
        </p>
      )}
      {chosenTokenizer.value?.encoder === true && (
        <p class="problem" role="status">
          An encoder reads the prompts of {chosenTokenizer.value.name}. The rows are shown as a decoder
          predicts them; loss.promptObjective says what its prompts are worth.
        </p>
      )}
      {notice.value !== undefined && (
        <p class="problem" role="status">
          {notice}
        </p>
      )}
      {refusal.value !== undefined && (
        <p class="problem" role="alert">
          {refusal}
        </p>
      )}
    </section>
  );
}

/** Characters that a field of text still holds without making typing slow. */
const SHOWN = 200_000;

// A chat with a served model, or with two side by side: the base beside what was trained from it.
import { batch, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { useFetched } from "../api/hooks.ts";
import { keyWanted } from "../api/key.ts";
import { Problem } from "../shell/problem.tsx";
import { chat, servedModels } from "./chat-client.ts";
import { type Answer, answered, messagesFor, type Turn } from "./conversation.ts";
import { Turns } from "./turns.tsx";

/** New tokens of an answer unless the reader says otherwise. */
const TOKENS = 256;

export function ChatView() {
  const { value: models, failure } = useFetched(servedModels, [keyWanted.value]);
  if (failure.value !== undefined) return <Problem title="No models" text={failure.value} />;
  if (models.value === undefined) return <p class="muted">Asking for the models …</p>;
  return (
    <>
      <div class="head">
        <h1>Chat</h1>
      </div>
      {models.value.length === 0 ? (
        <p>
          This studio serves no model. <code>promptloss studio runs MODEL RUN</code> serves a model and the
          run that was trained from it; jobs that finish add theirs.
        </p>
      ) : (
        <Conversation models={models.value} />
      )}
    </>
  );
}

function Conversation({ models }: { models: readonly string[] }) {
  const first = useSignal(models[0]!);
  const second = useSignal("");
  const system = useSignal("");
  const temperature = useSignal(0);
  const tokens = useSignal(TOKENS);
  const prompt = useSignal("");
  const turns = useSignal<readonly Turn[]>([]);
  const ending = useRef<AbortController | undefined>(undefined);
  const isAsking = useSignal(false);
  useEffect(() => () => ending.current?.abort(), []);
  const asked =
    second.value === "" || second.value === first.value ? [first.value] : [first.value, second.value];

  const ask = async (
    model: string,
    said: readonly Turn[],
    text: string,
    signal: AbortSignal,
  ): Promise<void> => {
    let answer: Answer = { text: "", state: "waiting" };
    const tell = (change: Partial<Answer>): void => {
      answer = { ...answer, ...change };
      turns.value = answered(turns.value, model, answer);
    };
    tell({});
    try {
      const messages = messagesFor(model, said, text, system.value);
      const request = { model, messages, temperature: temperature.value, max_tokens: tokens.value };
      for await (const { text: piece, finish } of chat(request, signal))
        tell({
          text: answer.text + piece,
          state: finish === null ? "writing" : finish === "length" ? "cut" : "done",
        });
      if (answer.state === "waiting" || answer.state === "writing") tell({ state: "done" });
    } catch (error) {
      if (signal.aborted) tell({ state: "stopped" });
      else if (!(error instanceof ApiError && error.status === 401))
        tell({ state: "failed", problem: (error as Error).message });
    }
  };

  const send = async (): Promise<void> => {
    const text = prompt.value.trim();
    if (text === "" || isAsking.value) return;
    const said = turns.value;
    const controller = new AbortController();
    ending.current = controller;
    batch(() => {
      isAsking.value = true;
      prompt.value = "";
      turns.value = [...said, { prompt: text, answers: {} }];
    });
    await Promise.all(asked.map((model) => ask(model, said, text, controller.signal)));
    isAsking.value = false;
  };

  return (
    <>
      <form class="controls" aria-label="Models and sampling" onSubmit={(event) => event.preventDefault()}>
        <label>
          Model{" "}
          <select
            value={first.value}
            onChange={({ currentTarget }) => {
              first.value = currentTarget.value;
            }}
          >
            {models.map((id) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        {models.length > 1 && (
          <label>
            Beside it{" "}
            <select
              value={second.value}
              onChange={({ currentTarget }) => {
                second.value = currentTarget.value;
              }}
            >
              <option value="">none</option>
              {models.map((id) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
        )}
        <label>
          Temperature{" "}
          <input
            type="number"
            min="0"
            max="2"
            step="0.1"
            value={temperature.value}
            onInput={({ currentTarget }) => {
              temperature.value = Number(currentTarget.value);
            }}
          />
        </label>
        <label>
          New tokens{" "}
          <input
            type="number"
            min="1"
            value={tokens.value}
            onInput={({ currentTarget }) => {
              tokens.value = Number(currentTarget.value);
            }}
          />
        </label>
        <label>
          System prompt{" "}
          <input
            type="text"
            value={system.value}
            onInput={({ currentTarget }) => {
              system.value = currentTarget.value;
            }}
          />
        </label>
      </form>
      <Turns turns={turns.value} />
      <form
        class="say"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="unseen" for="say">
          Message
        </label>
        <textarea
          id="say"
          rows={3}
          placeholder="Say something. Enter sends, Shift+Enter begins a line."
          value={prompt.value}
          onInput={({ currentTarget }) => {
            prompt.value = currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            void send();
          }}
        />
        <div>
          {isAsking.value ? (
            <button type="button" onClick={() => ending.current?.abort()}>
              Stop
            </button>
          ) : (
            <button type="submit" class="primary" disabled={prompt.value.trim() === ""}>
              Send
            </button>
          )}{" "}
          {turns.value.length > 0 && !isAsking.value && (
            <button
              type="button"
              onClick={() => {
                turns.value = [];
              }}
            >
              Begin anew
            </button>
          )}
        </div>
      </form>
    </>
  );
}

// The turns of a conversation, answers of several models side by side.
import type { Answer, Turn } from "./conversation.ts";

export function Turns({ turns }: { turns: readonly Turn[] }) {
  return (
    <div class="turns" role="log" aria-label="Conversation">
      {turns.map(({ prompt, answers }, i) => (
        <div key={i} class="turn">
          <p class="said">
            <span class="unseen">You: </span>
            {prompt}
          </p>
          <div class="answers">
            {Object.entries(answers).map(([model, answer]) => (
              <AnswerBox key={model} model={model} answer={answer} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

const STATES: Readonly<Record<Answer["state"], string>> = {
  waiting: "…",
  writing: "",
  done: "",
  cut: "cut by the limit of new tokens",
  stopped: "stopped",
  failed: "failed",
};

function AnswerBox({ model, answer: { text, state, problem } }: { model: string; answer: Answer }) {
  const note = problem ?? (state === "done" && text === "" ? "said nothing" : STATES[state]);
  return (
    <div class="answer" aria-busy={state === "waiting" || state === "writing"}>
      <h2>{model}</h2>
      <p class="text">{text}</p>
      {note !== "" && <p class="note">{note}</p>}
    </div>
  );
}

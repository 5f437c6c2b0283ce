import type { RunState } from "promptloss/studio";

const LOOKS: Readonly<
  Record<RunState, { readonly text: string; readonly look: string; readonly title: string }>
> = {
  running: { text: "running", look: "live", title: "a process is training in its folder" },
  completed: { text: "completed", look: "good", title: "all steps are done" },
  "stopped-early": { text: "stopped early", look: "good", title: "the held-out loss no longer fell" },
  interrupted: {
    text: "interrupted",
    look: "waits",
    title: "a signal stopped it; the same command resumes it",
  },
  failed: { text: "failed", look: "bad", title: "an error ended it" },
  lost: {
    text: "lost",
    look: "bad",
    title: "its process is gone and left no word; the same command resumes it",
  },
};

export function StateBadge({ state }: { state: RunState }) {
  const { text, look, title } = LOOKS[state];
  return (
    <span class={`badge ${look}`} title={title}>
      {text}
    </span>
  );
}

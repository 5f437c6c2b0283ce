import { useSignal } from "@preact/signals";

/** Milliseconds for which a button says that it has copied. */
const SAID = 2000;

/** Copies a text. Browsers have a clipboard for pages of this machine and of HTTPS alone; elsewhere there is no button. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const said = useSignal("");
  if (navigator.clipboard === undefined) return null;
  const copy = async (): Promise<void> => {
    said.value = await navigator.clipboard.writeText(text).then(
      () => "Copied",
      () => "The browser did not allow it",
    );
    setTimeout(() => {
      said.value = "";
    }, SAID);
  };
  return (
    <p>
      <button type="button" aria-label={`Copy ${what}`} onClick={() => void copy()}>
        Copy
      </button>{" "}
      <span class="muted" role="status">
        {said}
      </span>
    </p>
  );
}

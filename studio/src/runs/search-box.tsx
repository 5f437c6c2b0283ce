import type { Signal } from "@preact/signals";

/** Where the reader types which runs are looked for. */
export function SearchBox({ label, sought }: { label: string; sought: Signal<string> }) {
  return (
    <label class="search">
      <span class="unseen">{label}</span>
      <input
        type="search"
        placeholder="name, model or state"
        onInput={({ currentTarget }) => {
          sought.value = currentTarget.value;
        }}
      />
    </label>
  );
}

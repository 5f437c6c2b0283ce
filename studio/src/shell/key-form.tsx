import { useSignal } from "@preact/signals";
import { giveKey, keyWanted } from "../api/key.ts";

/** Asks for the key that the server was started with. */
export function KeyForm() {
  const text = useSignal("");
  return (
    <form
      class="key"
      onSubmit={(event) => {
        event.preventDefault();
        giveKey(text.value);
      }}
    >
      <h1>This studio asks for a key</h1>
      <label for="key">The key that it was started with</label>
      <input
        id="key"
        type="password"
        autocomplete="current-password"
        required
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      {keyWanted.value === "wrong" && <p role="alert">This key is not the one.</p>}
      <button type="submit">Open</button>
    </form>
  );
}

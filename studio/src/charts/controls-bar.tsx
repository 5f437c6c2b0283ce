import type { ComponentChildren } from "preact";
import { controls, setControls, X_AXES, type XAxis } from "./controls.ts";

/** Smoothing, axes and range of all charts of a page, and what else a page puts beside them. */
export function ControlsBar({ children }: { children?: ComponentChildren }) {
  const { smoothing, logarithmic, x, range } = controls.value;
  const bound = (name: "from" | "to", text: string): void => {
    const value = text === "" ? undefined : Number(text);
    setControls({ range: { from: range?.from, to: range?.to, [name]: value } });
  };
  const shown = (end: number | undefined): string => (end === undefined ? "" : String(Math.round(end)));
  return (
    <form class="controls" aria-label="How charts are drawn" onSubmit={(event) => event.preventDefault()}>
      <label>
        Smoothing <span class="value">{smoothing.toFixed(2)}</span>
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={smoothing}
          onInput={({ currentTarget }) => setControls({ smoothing: Number(currentTarget.value) })}
        />
      </label>
      <label>
        <input
          type="checkbox"
          checked={logarithmic}
          onChange={({ currentTarget }) => setControls({ logarithmic: currentTarget.checked })}
        />{" "}
        Logarithmic
      </label>
      <label>
        Against{" "}
        <select value={x} onChange={({ currentTarget }) => setControls({ x: currentTarget.value as XAxis })}>
          {Object.entries(X_AXES).map(([key, { name }]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {x === "step" && (
        <>
          <label>
            From step{" "}
            <input
              type="number"
              min="0"
              value={shown(range?.from)}
              onChange={({ currentTarget }) => bound("from", currentTarget.value)}
            />
          </label>
          <label>
            to{" "}
            <input
              type="number"
              min="1"
              value={shown(range?.to)}
              onChange={({ currentTarget }) => bound("to", currentTarget.value)}
            />
          </label>
        </>
      )}
      {range !== undefined && (
        <button type="button" onClick={() => setControls({ range: undefined })}>
          Show all
        </button>
      )}
      {children}
    </form>
  );
}

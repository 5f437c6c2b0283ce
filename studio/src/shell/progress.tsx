/** A bar with its share in words. */
export function Progress({ done, all, label }: { done: number; all: number; label: string }) {
  return <progress value={done} max={Math.max(1, all)} aria-label={label} />;
}

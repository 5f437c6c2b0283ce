/** What is said in place of what can't be shown. */
export function Problem({ title, text, hint }: { title: string; text: string; hint?: string | undefined }) {
  return (
    <section class="problem" role="alert">
      <h1>{title}</h1>
      <p>{text}</p>
      {hint !== undefined && <p class="muted">{hint}</p>}
    </section>
  );
}

/** Of a run or a study whose address leads nowhere. */
export function Gone({ what }: { what: "run" | "study" }) {
  return <Problem title={`There is no such ${what}`} text="Its folder was removed, moved or never there." />;
}

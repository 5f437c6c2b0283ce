import type { StudyCard } from "promptloss/studio";
import { count, duration } from "../format.ts";
import { Progress } from "../shell/progress.tsx";

/** How many cells are done, and what of the others. */
export function StudyProgress({ study }: { study: StudyCard }) {
  const { name, counts, secondsLeft } = study;
  const { done, running, failed, waiting } = counts;
  const all = done + running + failed + waiting;
  const others = [
    running > 0 && `${count(running)} running`,
    failed > 0 && `${count(failed)} failed`,
    waiting > 0 && `${count(waiting)} waiting`,
    secondsLeft !== null && `about ${duration(secondsLeft)} left`,
  ].filter((part) => part !== false);
  return (
    <>
      <Progress done={done} all={all} label={`Cells of ${name} that are done`} />{" "}
      <small>
        {count(done)} of {count(all)} cells done{others.length > 0 && `; ${others.join(", ")}`}
      </small>
    </>
  );
}

// A component whose module is loaded when it is first shown.
import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { Problem } from "./problem.tsx";

/** @param load is called once; the component that it gives is kept */
export function lazy<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  let loaded: FunctionComponent<Props> | undefined;
  return function Lazy(props: Props) {
    const isLoaded = useSignal(loaded !== undefined);
    const failure = useSignal<string | undefined>(undefined);
    const [error] = useErrorBoundary();
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          isLoaded.value = true;
        },
        (reason: Error) => {
          failure.value = reason.message;
        },
      );
    }, []);
    const text = failure.value ?? (error as Error | undefined)?.message;
    if (text !== undefined) return <Problem title="This page failed" text={text} />;
    if (!isLoaded.value || loaded === undefined) return <p class="muted">Loading …</p>;
    const Component = loaded;
    return <Component {...props} />;
  };
}

// A part of a report within the page. In a shadow tree, so that the report's styles and the page's don't meet; its colors
// are variables that both have.
import { useEffect, useRef } from "preact/hooks";
import { styles } from "../../../packages/promptloss/src/report/html/styles.ts";

/** @param html from the server's analysis, whose texts are escaped and that has no scripts */
export function ReportPart({ html }: { html: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const root = place.current!.shadowRoot ?? place.current!.attachShadow({ mode: "open" });
    root.innerHTML = `<style>${styles}</style>${html}`;
  }, [html]);
  return <div ref={place} class="report-part" />;
}

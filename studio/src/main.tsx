import { render } from "preact";
import { colorRules } from "../../packages/promptloss/src/report/html/styles.ts";
import { Shell } from "./shell/shell.tsx";
import "./shell/styles.css";

// The colors of reports, so that a chart looks alike here and there.
const colors = document.createElement("style");
colors.textContent = colorRules;
document.head.prepend(colors);

render(<Shell />, document.getElementById("studio")!);

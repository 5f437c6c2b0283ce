// The page's one script: buttons that save a figure as SVG or PNG and a table as CSV or LaTeX, made in the browser from
// what the page shows. The page says all that it has to say without it; its hash is the only one that the page's policy
// lets run.
import { createHash } from "node:crypto";

/** PNG pixels per CSS pixel: a figure of 360 pixels prints sharp at 9 cm. */
const SCALE = 3;

export const pageScript = String.raw`
(() => {
  const name = document.title.replace(/[^\w.-]+/g, "-");
  const save = (file, type, content) => {
    const link = document.createElement("a");
    link.download = file;
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const buttons = (label, choices) => {
    const line = document.createElement("p");
    line.className = "save";
    line.append("Save as ");
    for (const [text, act] of choices) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.setAttribute("aria-label", "Save " + label + " as " + text);
      button.addEventListener("click", act);
      line.append(button, " ");
    }
    return line;
  };
  const shown = (figure) => [...figure.querySelectorAll("svg.chart")].find((svg) => svg.getBoundingClientRect().width > 0);
  // A drawing that stands alone: colors of the page's variables as they are now, on the page's ground.
  const alone = (svg) => {
    const root = getComputedStyle(document.documentElement);
    const resolved = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, key) => root.getPropertyValue(key).trim());
    const copy = svg.cloneNode(true);
    const { width, height } = svg.viewBox.baseVal;
    for (const element of copy.querySelectorAll("*"))
      for (const { name: key, value } of [...element.attributes])
        if (value.includes("var(")) element.setAttribute(key, resolved(value));
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.removeAttribute("style");
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    ground.setAttribute("width", width);
    ground.setAttribute("height", height);
    ground.setAttribute("fill", root.getPropertyValue("--page").trim());
    copy.prepend(ground);
    return { text: new XMLSerializer().serializeToString(copy), width, height };
  };
  const savePng = (file, { text, width, height }) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = width * ${SCALE};
      canvas.height = height * ${SCALE};
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(file, "image/png", blob), "image/png");
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  };
  for (const figure of document.querySelectorAll("figure[id]")) {
    if (!figure.querySelector("svg.chart")) continue;
    const file = name + "-" + figure.id;
    const label = figure.id.replace("-", " ");
    (figure.querySelector("figcaption") ?? figure).append(
      buttons(label, [
        ["SVG", () => save(file + ".svg", "image/svg+xml", alone(shown(figure)).text)],
        ["PNG", () => savePng(file + ".png", alone(shown(figure)))],
      ]),
    );
  }
  const cells = (row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " "));
  const csv = (table) =>
    [...table.rows].map((row) => cells(row).map((text) => (/[",\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text)).join(",")).join("\r\n") + "\r\n";
  const special = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
  const tex = (text) =>
    text
      .replace(/[\\~^&%$#_{}]/g, (c) => special[c] ?? "\\" + c)
      .replaceAll("−", "$-$").replaceAll("–", "--").replaceAll("—", "---").replaceAll("χ²", "$\\chi^2$")
      .replaceAll("≤", "$\\le$").replaceAll("≥", "$\\ge$").replaceAll("×", "$\\times$").replaceAll("±", "$\\pm$")
      .replaceAll("<", "$<$").replaceAll(">", "$>$").replaceAll("\u00a0", "~").replaceAll("\u2060", "");
  const latex = (table) => {
    const [head, ...body] = [...table.rows];
    const columns = [...head.cells].map((cell) => (cell.classList.contains("number") ? "r" : "l")).join("");
    const line = (row) => "  " + cells(row).map(tex).join(" & ") + " \\\\";
    return ["% \\usepackage{booktabs}", "\\begin{table}", "\\centering", "\\caption{" + tex(table.caption?.textContent ?? "") + "}",
      "\\begin{tabular}{" + columns + "}", "\\toprule", line(head), "\\midrule", ...body.map(line), "\\bottomrule",
      "\\end{tabular}", "\\end{table}", ""].join("\n");
  };
  for (const [i, table] of document.querySelectorAll("table").entries()) {
    const file = name + "-table-" + (i + 1);
    table.closest(".wide").after(
      buttons("table " + (i + 1), [
        ["CSV", () => save(file + ".csv", "text/csv", csv(table))],
        ["LaTeX", () => save(file + ".tex", "application/x-tex", latex(table))],
      ]),
    );
  }
})();
`;

/** What the page's policy calls the script. */
export const pageScriptHash: string = `sha256-${createHash("sha256").update(pageScript).digest("base64")}`;

// What a chart says of the values under the pointer: the highest first, and not more than there is room for.

export interface TooltipItem {
  readonly name: string;
  readonly color: string;
  readonly value: number;
}

const MOST = 12;

/** An element, so that no name of a run is taken for markup. */
export function tooltipOf(
  title: string,
  items: readonly TooltipItem[],
  text: (value: number) => string,
): HTMLElement {
  const box = document.createElement("div");
  box.append(element("strong", title));
  for (const { name, color, value } of [...items].sort((a, b) => b.value - a.value).slice(0, MOST)) {
    const line = element("div", "");
    const mark = element("i", "");
    mark.className = "swatch";
    mark.style.background = color;
    line.append(mark, `${name}: `, element("b", text(value)));
    box.append(line);
  }
  if (items.length > MOST) box.append(element("div", `and ${items.length - MOST} more`));
  return box;
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

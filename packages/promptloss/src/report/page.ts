// The page around the sections: one file that asks the network for nothing. Its one script
// saves figures and tables; nothing that the page says needs it.
import { html, type Markup, type Part, raw } from "./html/markup.ts";
import { pageScript, pageScriptHash } from "./html/page-script.ts";
import { styles } from "./html/styles.ts";

export interface PageSection {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

export function page(title: string, subtitle: Part, sections: readonly PageSection[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src '${pageScriptHash}'; img-src data: blob:">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(styles)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="subtitle">${subtitle}</p>
<nav aria-label="Contents"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(
  ({ id, title: name, body }) => html`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${name}</h2>
${body}
</section>`,
)}
</main>
<script>${raw(pageScript)}</script>
</body>
</html>
`.text;
}

// The page's style: light, dark and print by variables; charts take their colors from them.

const light = `
--page:#ffffff;--panel:#f6f7f9;--ink:#1b1f24;--muted:#59636e;--line:#8c959f;--grid:#e3e6ea;--rule:#d5d9de;
--link:#0a58ca;--warn:#9a4a00;
--s0:#2563b8;--s1:#c2570c;--s2:#1a7f4b;--s3:#7c3aaf;--s4:#b8235a;--s5:#0f7680;
--h0:#f0f5fb;--h1:#dbe8f6;--h2:#c0d7ee;--h3:#9ec2e4;--h4:#77a9d8;--h5:#3a74b3;--h6:#2a63a3;--h7:#195193;--h8:#0b3872;
--on-low:#1b1f24;--on-high:#ffffff;`;

const dark = `
--page:#14181d;--panel:#1c2229;--ink:#e6e9ed;--muted:#a3adb8;--line:#6b7682;--grid:#2a323b;--rule:#343d47;
--link:#82b4ff;--warn:#ffb870;
--s0:#74abf5;--s1:#f79a56;--s2:#63c98e;--s3:#c093ee;--s4:#f4839f;--s5:#52c5cf;
--h0:#1d2731;--h1:#203347;--h2:#23405e;--h3:#265079;--h4:#2b6297;--h5:#5b92c8;--h6:#82b2e0;--h7:#abcff2;--h8:#d5e8fb;
--on-low:#f0f3f6;--on-high:#10151a;`;

/** The variables that all colors come from; the studio's page has them too. */
export const colorRules = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}`;

export const styles = `${colorRules}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1.5rem clamp(1rem,4vw,3rem) 4rem;max-width:76rem;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.35rem;margin:3rem 0 .75rem;padding-bottom:.3rem;border-bottom:1px solid var(--rule)}
h3{font-size:1.08rem;margin:2rem 0 .5rem}
h4,figure h3{font-size:.95rem;margin:0 0 .35rem}
h4 small,figure h3 small{display:block;font-weight:400;font-size:.82rem;color:var(--muted)}
p,ul,dl{margin:.5rem 0;max-width:48rem}
a{color:var(--link)}
.subtitle,.note,figcaption{color:var(--muted)}
nav ul,.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem}
.legend{font-size:.92rem}
.settings{columns:18rem;column-gap:2.5rem;font-size:.88rem}
.findings{padding-left:1.2rem}
.findings li{margin:.35rem 0}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20.5rem,100%),1fr));gap:0 1.5rem}
figure{margin:0;min-width:0;break-inside:avoid}
.figures figure{display:grid;grid-row:span 3;grid-template-rows:subgrid;grid-template-columns:minmax(0,1fr);row-gap:0;margin-bottom:.75rem}
figcaption{font-size:.85rem;line-height:1.45}
figcaption p{margin:.25rem 0}
.count{color:var(--muted);font-weight:600}
.save{font-size:.8rem;color:var(--muted);margin:.3rem 0}
.save button{font:inherit;color:var(--link);background:none;border:1px solid var(--rule);border-radius:4px;padding:0 .4rem;cursor:pointer}
.verdict{border:1px solid var(--rule);border-left:4px solid var(--s0);border-radius:6px;background:var(--panel);padding:.9rem 1.1rem;margin:1rem 0}
.verdict h3{margin:0 0 .3rem;font-size:1.15rem}
.verdict p{margin:.35rem 0}
.verdict .choice{border-top:1px solid var(--rule);padding-top:.5rem;margin-top:.6rem}
figure.lead{margin:1.25rem 0}
.paste{background:var(--panel);border-radius:6px;padding:.8rem 1rem}
svg.chart{display:block;width:100%;height:auto}
.narrow{display:none}
figure.heat{margin:1.25rem 0}
.broad,.narrow{max-width:100%}
.wide{position:relative;overflow-x:auto;margin:.75rem 0;max-width:100%}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
caption{text-align:left;color:var(--muted);padding:.2rem 0;caption-side:top}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--rule)}
thead th{color:var(--muted);font-weight:600;white-space:nowrap}
tbody th{font-weight:500}
.number{text-align:right;white-space:nowrap}
pre{overflow-x:auto;background:var(--panel);padding:.8rem 1rem;font-size:.78rem;line-height:1.45;border-radius:6px}
code{font-size:.9em}
details{margin:.6rem 0}
summary{cursor:pointer;color:var(--link)}
.warning{color:var(--warn)}
.note{font-size:.88rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.tag{display:inline-block;font-size:.75rem;padding:0 .45rem;border:1px solid var(--line);border-radius:1rem;
color:var(--muted);white-space:nowrap}
dt{font-weight:600;margin-top:.9rem}
dd{margin:.15rem 0 0}
.scale{display:inline-flex;white-space:nowrap;vertical-align:middle;margin:0 .4rem}
.scale i{width:1.1rem;height:.8rem}
@media (max-width:40rem){body{padding-top:1rem}h1{font-size:1.5rem}.narrow{display:block}.broad{display:none}}
@page{margin:15mm}
@media print{
:root{color-scheme:light;${light}}
html{font-size:12.5px}
body{max-width:none;padding:0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav{display:none}
h2,h3,h4,caption{break-after:avoid}
.wide,tr{break-inside:avoid}
.figures{grid-template-columns:repeat(2,1fr)}
.wide{overflow:visible}
.save{display:none}
.number{white-space:normal}
table{font-size:.72rem}
th,td{padding-right:.4rem}
details{display:none}
a{color:inherit;text-decoration:none}
}`;

"""How the HTML report looks: on a screen, light or dark, and on paper."""

STYLES = """\
:root {
  color-scheme: light dark;
  --ink: #1a1a2e; --paper: #fff; --soft: #5a5a6a; --line: #d8d8e0; --tint: #f4f5f9;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6ee; --paper: #16161e; --soft: #a5a5b5; --line: #3a3a48; --tint: #20202b; }
}
* { box-sizing: border-box; }
body {
  margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 0.5rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 0.6rem; padding-top: 0.6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.4rem; }
p, ul { margin: 0.5rem 0; }
nav { color: var(--soft); font-size: 0.9rem; }
a { color: inherit; }
.important { padding: 0.5rem 0.8rem; border-left: 4px solid #d55e00; background: var(--tint); }
.table { overflow-x: auto; margin: 0.8rem 0; }
table { border-collapse: collapse; font-size: 0.86rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 0.6rem; text-align: left; vertical-align: top; }
td { border-bottom: 1px solid var(--line); }
th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
pre { overflow-x: auto; padding: 0.6rem 0.8rem; background: var(--tint); font-size: 0.85rem; }
figure { margin: 1rem 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; }
figcaption { color: var(--soft); font-size: 0.85rem; margin-top: 0.3rem; }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  figure, tr, pre { break-inside: avoid; }
  .table { overflow: visible; }
}
"""

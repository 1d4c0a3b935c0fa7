"""The report's style sheet: one column, system fonts, light and dark."""

STYLE = """
:root {
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace;
  --ground: #fbfbfa; --paper: #ffffff; --ink: #1b2430; --soft: #5b6675; --line: #e3e6ea; --accent: #2f7ed8;
  --good: #14714a; --good-ground: #e6f4ec; --bad: #a8321f; --bad-ground: #fbeae6; --open-ground: #eef1f5;
  --used: #2f7ed8; --duplicate: #9aa7b8; --orphan: #e0a030; --late: #9467bd; --after: #5aa9a3;
  --gap: #c9b458; --dead: #c8452f; --learned: #8fb8de; --left-out: #b5838d;
}
@media (prefers-color-scheme: dark) { :root {
  --ground: #14181d; --paper: #1b2027; --ink: #e4e8ee; --soft: #9aa5b3; --line: #2c343d; --accent: #6aa9ee;
  --good: #6fd0a0; --good-ground: #17352a; --bad: #f0907c; --bad-ground: #3d211c; --open-ground: #242b34;
  --used: #4b92e0; --duplicate: #738093; --late: #ab88cf;
} }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 var(--sans); }
header, main { max-width: 72rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; }
.kicker { margin: 0; color: var(--soft); font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; }
h1 { margin: .1rem 0 .2rem; font-size: 2.2rem; line-height: 1.15; letter-spacing: -.02em; overflow-wrap: anywhere; }
.lead { margin: 0 0 1.2rem; color: var(--soft); font-size: 1.05rem; max-width: 46rem; }
.verdict { margin-top: .8rem; border-radius: .6rem; padding: .8rem 1.1rem; background: var(--open-ground); }
.verdict .word { margin: 0; font-size: 1.15rem; font-weight: 650; }
.verdict.good { background: var(--good-ground); } .verdict.good .word { color: var(--good); }
.verdict.bad { background: var(--bad-ground); } .verdict.bad .word { color: var(--bad); }
.verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; } .pushed { margin: .15rem 0 0; overflow-wrap: anywhere; }
code { font: .86rem var(--mono); }
.facts { display: flex; flex-wrap: wrap; gap: .4rem 2.4rem; margin: 1.1rem 0 0; }
.facts div { display: flex; flex-direction: column-reverse; }
.facts dd { margin: 0; font-size: 1.45rem; font-weight: 600; font-variant-numeric: tabular-nums;
  letter-spacing: -.01em; }
.facts dt { color: var(--soft); font-size: .82rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1.4rem 0 0; padding: .7rem 0;
  border-top: 1px solid var(--line);
  border-bottom: 1px solid var(--line); font-size: .88rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
section { padding: 1.6rem 0 .4rem; } main { padding-bottom: 4rem; }
h2 { margin: 0 0 .7rem; font-size: 1.25rem; letter-spacing: -.01em; }
.scroll { overflow-x: auto; margin: 0 0 1rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: .5rem; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { padding: .55rem .8rem; text-align: left; font-weight: 600; overflow-wrap: anywhere; }
th, td { padding: .34rem .8rem; text-align: left; border-top: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .8rem; font-weight: 500; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 500; overflow-wrap: break-word; min-width: 6rem; max-width: 22rem; }
caption span { position: sticky; left: .8rem; display: inline-block; max-width: calc(100vw - 4.8rem); }
td:not(.n) { min-width: 7rem; }
small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; }
header .scroll { margin: 1rem 0 .5rem; } header .note { margin: 0 0 .3rem; }
.n { text-align: right; white-space: nowrap; }
tr.worst th, tr.failed th { box-shadow: inset 3px 0 var(--bad); }
tr.worst, tr.failed { background: var(--bad-ground); }
tr.best th { box-shadow: inset 3px 0 var(--accent); } tr.cached, tr.few { color: var(--soft); }
tr.better td:nth-child(5) { color: var(--good); } tr.worse td:nth-child(5) { color: var(--bad); }
.ok { color: var(--good); font-weight: 600; } .no { color: var(--bad); font-weight: 600; } .same { color: var(--soft); } td .ok, td .no, td .same { white-space: nowrap; }
.bar { display: block; min-width: 2px; height: .55rem; border-radius: .2rem; background: var(--accent); }
#settings td code, #trials td code { overflow-wrap: anywhere; }
#stages td:nth-child(3) { width: 40%; }
.stacks { margin: 0 0 1rem; }
.stream { display: grid; grid-template-columns: 8rem 1fr 7rem; gap: .8rem; align-items: center; font-size: .88rem;
  padding: .12rem 0; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .kept { color: var(--soft);
  text-align: right; }
.stack { display: flex; height: .85rem; border-radius: .25rem; overflow: hidden; background: var(--line); }
.used { background: var(--used); } .duplicate { background: var(--duplicate); } .orphan { background: var(--orphan); }
.late { background: var(--late); } .after_as_of { background: var(--after); }
.gap { background: var(--gap); } .dead_lettered { background: var(--dead); }
.learned { background: var(--learned); } .left_out { background: var(--left-out); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .5rem 0 0; color: var(--soft);
  font-size: .82rem; }
.key i { display: inline-block; width: .7rem; height: .7rem; margin-right: .4rem; border-radius: .15rem; }
figure { margin: 0 0 1rem; padding: 1rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: .5rem; overflow-x: auto; }
figure svg { display: block; max-width: 100%; height: auto; } .chart { overflow-x: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 29rem), 1fr)); gap: 1rem; margin: 0 0 1rem; }
.pictures.narrow { grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.pictures figure { margin: 0; min-width: 0; }
h3 { margin: 0 0 .5rem; font-size: 1rem; }
figcaption { margin-top: .6rem; color: var(--soft); font-size: .86rem; max-width: 46rem; }
.note, .missing { color: var(--soft); font-size: .9rem; } .missing { font-style: italic; }
details { margin: 0 0 1rem; } summary { cursor: pointer; color: var(--accent); font-size: .9rem;
  margin-bottom: .5rem; }
.about div { display: grid; grid-template-columns: 10rem 1fr; gap: 1rem; padding: .25rem 0;
  border-top: 1px solid var(--line); }
.about dt { color: var(--soft); } .about dd { margin: 0; overflow-wrap: anywhere; } .failures { color: var(--bad); }
@media (max-width: 45rem) {
  header, main { padding: 0 1rem; } header { padding-top: 1.2rem; } h1 { font-size: 1.7rem; }
  th, td { padding: .34rem .5rem; } caption { padding: .55rem .5rem; }
  tbody th { position: sticky; left: 0; background: var(--paper); }
  tr.worst th, tr.failed th { background: var(--bad-ground); }
  td:not(.n) { white-space: nowrap; } .stacked td { white-space: normal; } #slices tbody th { min-width: 9rem; }
  .chart svg { max-width: none; }
  .stream { grid-template-columns: 5.5rem 1fr 6rem; gap: .5rem; }
  .about div { grid-template-columns: 1fr; gap: 0; }
  .stacked, .stacked caption, .stacked tbody, .stacked tr, .stacked th, .stacked td { display: block; max-width: none; }
  .stacked thead { display: none; }
  .stacked tr { padding: .4rem 0; border-top: 1px solid var(--line); }
  .stacked th, .stacked td { position: static; text-align: left; padding: .12rem .5rem; border: 0; }
  .stacked th { font-weight: 650; } .stacked th small, .stacked td small { display: inline; margin-left: .5rem; }
  .stacked td::before { content: attr(data-head) ": "; color: var(--soft); }
}
@media print { nav { display: none; } body { background: #fff; } section { break-inside: avoid-page; } }
"""

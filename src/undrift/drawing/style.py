"""The look of the page: one column of text, pictures two by two, light and dark, fit for print."""

from __future__ import annotations

from undrift.drawing.svg import STYLE as PICTURES

STYLE = (
    """\
:root{color-scheme:light dark;--ink:#1b1f24;--quiet:#57606a;--rule:#d9dee3;--soft:#f5f7f9;--page:#fff;
--ud-accent:#2f6db5;--ud-warn:#a84a12;--good:#1c6b3c;--warn-soft:#fdf4ec}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--quiet:#9aa5b1;--rule:#30363d;--soft:#1a1f25;--page:#111519;
--ud-accent:#6fa8e6;--ud-warn:#eb9a5e;--good:#6cc08b;--warn-soft:#2a2019}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:3rem}
footer{padding-top:1rem;padding-bottom:4rem;color:var(--quiet);font-size:.85rem}
h1{font-size:2rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.3rem;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:3.2rem 0 .6rem;padding-top:1.1rem;
border-top:1px solid var(--rule)}
h3{font-size:1rem;font-weight:650;margin:1.8rem 0 .4rem}
p{margin:.5rem 0;max-width:44rem}
ul{margin:.5rem 0;padding-left:1.2rem;max-width:44rem}
li{margin:.25rem 0}
a{color:var(--ud-accent)}
code,.ref{font:.88em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.quiet{color:var(--quiet)}
.lead{font-size:1.125rem;margin-top:1rem}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.state{display:inline-block;font-size:.8rem;font-weight:600;padding:.1rem .55rem;border:1px solid currentColor;
border-radius:1rem;color:var(--quiet);vertical-align:.35em;margin-left:.6rem;letter-spacing:0}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1.2rem 2rem;margin:1.6rem 0 0}
.figures div{border-top:2px solid var(--ink);padding-top:.5rem}
.figures dt{font-size:.85rem;color:var(--quiet)}
.figures dd{margin:0;font-size:1.55rem;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums;
letter-spacing:-.01em;overflow-wrap:anywhere}
.figures dd small{display:block;font-size:.85rem;font-weight:400;color:var(--quiet);letter-spacing:0}
.pass{color:var(--good)}.fail,.warn{color:var(--ud-warn)}
.notices{background:var(--warn-soft);border-left:3px solid var(--ud-warn);padding:.7rem 1.1rem;margin:1.8rem 0 0}
.notices h2{border:0;padding:0;margin:0;font-size:1rem}
.notices ul{margin:.3rem 0 0}
nav{margin:1.8rem 0 0;font-size:.9rem}
nav ol{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:0}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
dl.facts{display:grid;grid-template-columns:minmax(8rem,11rem) 1fr;gap:.3rem 1.2rem;margin:.8rem 0}
dl.facts dt{color:var(--quiet)}dl.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
.wide{margin:.8rem 0}
table{border-collapse:collapse;font-size:.92rem;line-height:1.4}
th,td{text-align:left;vertical-align:baseline;padding:.38rem 1.6rem .38rem 0;border-bottom:1px solid var(--rule)}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:500;color:var(--quiet);font-size:.85rem;vertical-align:bottom}
tbody th{font-weight:500;overflow-wrap:break-word}
th.num{text-align:right}
table.ud-intervals,table.drawn{width:100%}
.ud-intervals .num,.drawn .num,.drawn .tight{width:1%}
td.ud-drawn{min-width:9rem;vertical-align:middle;padding-left:.6rem}th.ud-drawn{padding-left:.6rem}
tbody th small{display:block;font-weight:400;font-size:.85rem}
.drawn tbody th{min-width:10rem}
tr.chosen th,tr.chosen td{font-weight:650}
table.ud-heat td{border:1px solid var(--page)}
table.ud-heat th{padding:.35em .8em}
table.ud-heat thead th{vertical-align:bottom}
figure{margin:0;min-width:0}
figcaption{color:var(--quiet);font-size:.92rem;line-height:1.45;margin-top:.5rem;max-width:44rem}
th code{white-space:nowrap}
figure>h3{margin-top:.2rem}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1.8rem 2.6rem;margin:1.2rem 0}
.one{max-width:28rem;margin:1.2rem 0}
details{margin:.6rem 0}
summary{cursor:pointer;color:var(--ud-accent)}
@media (max-width:34rem){body{font-size:15px}main,header,footer{padding-left:1.1rem;padding-right:1.1rem}
header{padding-top:1.8rem}h1{font-size:1.6rem}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:.6rem}
.num{white-space:normal}.drawn tbody th{min-width:7rem}td.ud-drawn{min-width:5rem}
.drawn .ud-ends,.ud-intervals .ud-ends,th.opt,td.opt{display:none}
.undrift svg.ud-strip{min-width:64px}}
@media print{:root{color-scheme:light;--ink:#000;--quiet:#444;--rule:#bbb;--soft:#fff;--page:#fff;--ud-accent:#1f5a9e;
--ud-warn:#8a3b0b;--good:#14532d;--warn-soft:#fff}body{font-size:10.5pt}nav{display:none}
main,header,footer{max-width:none;padding:0}h2{break-after:avoid;margin-top:1.6rem}
figure,tr,.notices,.pair{break-inside:avoid}a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
    + PICTURES
)

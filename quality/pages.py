"""Data Docs pages made to open offline: nothing is loaded from the network, a small style stands in."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

# The classes of Bootstrap that the pages use, as far as reading them needs.
STYLE = """
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:0 auto;max-width:75rem;padding:1rem;color:#222}
a{color:#06607a;text-decoration:none}
h1,h2,h3,h4,h5{line-height:1.25}
table{border-collapse:collapse;width:100%;margin:.6rem 0}
td,th{border:1px solid #d8dde1;padding:.35rem .6rem;text-align:left;vertical-align:top;overflow-wrap:break-word}
th{background:#f2f5f6}
.badge{border-radius:.3rem;padding:.1rem .4rem;background:#e8edef;font-size:.9em}
.badge-success,.ok{background:#d5eed9}
.badge-danger,.bad{background:#f6d3d0}
.badge-warning,.warn{background:#fbeac2}
.text-success,.fa-check-circle{color:#1b7a37}
.text-danger,.fa-times{color:#b3261e}
.text-warning{color:#9a6a00}
.fa-check-circle:before{content:"✔"}
.fa-times:before{content:"✘"}
.fa-exclamation-triangle:before{content:"⚠"}
.breadcrumb,.list-inline{list-style:none;display:flex;gap:.8rem;padding:0;flex-wrap:wrap}
.modal,.walkthrough-links,.cooltip-text,#cta-footer,.ge-cta-footer,button,.btn,
.popover,.navbar-brand img{display:none!important}
.col-4{float:left;width:24%}
.col-8,.col-lg-8,.col-md-8{float:left;width:75%}
.row:after{content:"";display:block;clear:both}
pre,code{background:#f2f5f6;white-space:pre-wrap;overflow-wrap:anywhere}
.alert{background:#f2f5f6;padding:.5rem .8rem;border-radius:.3rem}
"""
NONE: Mapping[str, str] = {}
_NETWORK = (
    re.compile(r"<link\b[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE | re.DOTALL),
    re.compile(r"<script\b[^>]*\bsrc=[^>]*>.*?</script>", re.IGNORECASE | re.DOTALL),
    re.compile(r"<img\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE | re.DOTALL),
    re.compile(r"@import[^;]*//[^;]*;", re.IGNORECASE),
    re.compile(r"url\([\"']?(?:https?:)?//[^)]*\)", re.IGNORECASE),
)
# Scripts of the pages call libraries that are not there, and the call for a newsletter posts to a server.
_SCRIPT = re.compile(r"<script\b.*?</script>", re.IGNORECASE | re.DOTALL)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.IGNORECASE | re.DOTALL)


def offline(page: str) -> str:
    """Return a page that loads nothing from anywhere."""
    for pattern in (*_NETWORK, _SCRIPT, _FOOTER):
        page = pattern.sub("", page)
    head = f"<style>{STYLE}</style></head>"
    return page.replace("</head>", head, 1) if "</head>" in page else f"<style>{STYLE}</style>{page}"


def make_offline(folder: Path) -> int:
    """Rewrite every page of a folder; return how many there are."""
    pages = list(folder.rglob("*.html"))
    for path in pages:
        path.write_text(offline(path.read_text(encoding="utf-8")), encoding="utf-8")
    return len(pages)


def listing(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a page that is one plain list."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>"
            f"<table><tr>{head}</tr>{body}</table></body></html>")  # fmt: skip


def index(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], links: Sequence[str], others: Mapping[str, str] = NONE
) -> str:  # fmt: skip
    """Return the first page: one row a table, its first cell linked, its second (the state) coloured; then other pages."""
    more = "".join(f'<p><a href="{html.escape(link, quote=True)}">{html.escape(name)}</a></p>' for name, link in others.items())
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{_cells(row, link)}</tr>" for row, link in zip(rows, links, strict=True))
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>"
            f"<table><tr>{head}</tr>{body}</table>{more}</body></html>")  # fmt: skip


def _cells(row: Sequence[str], link: str) -> str:
    first = f'<td><a href="{html.escape(link, quote=True)}">{html.escape(row[0])}</a></td>'
    state = {"passed": "ok", "warnings": "warn", "rows set aside": "warn"}.get(row[1], "bad")
    return first + f'<td><span class="badge {state}">{html.escape(row[1])}</span></td>' + "".join(
        f"<td>{html.escape(cell)}</td>" for cell in row[2:]
    )  # fmt: skip

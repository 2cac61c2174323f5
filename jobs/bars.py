"""A picture of gaps: a bar to the left or right of nothing for each, coloured by its cause, labelled in Chinese and English."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from lineage.picture import FONT

# As far apart as people with any colour vision can tell them (Okabe and Ito), what nobody can explain in the darkest.
COLOURS = {"unit": "#cc79a7", "rounding": "#bdbdbd", "time": "#56b4e9", "boundary": "#0072b2", "missing": "#e69f00",
           "factors": "#009e73", "revision": "#f0e442", "statistical": "#d55e00", "unexplained": "#222222"}  # fmt: skip
ROW, BAR, HALF, MARGIN, LETTER = 40, 18, 340, 24, 7.2
UNITS = ((1e6, "Mt"), (1e3, "kt"), (1.0, "t"))


@dataclass(frozen=True)
class Bar:
    """One gap in tonnes, with its share as text, and what it is of in Chinese and English."""

    label: str
    label_en: str
    tonnes: float
    share: str
    cause: str


def svg(bars: Sequence[Bar], title: str, causes: Mapping[str, str]) -> str:
    """Return bars as SVG; `causes` are the names of causes in Chinese. No bar at all gives a picture that says so."""
    left = MARGIN + max([_wide(text) for bar in bars for text in (bar.label, bar.label_en)] or [0]) + 20
    most = max([abs(bar.tonnes) for bar in bars] or [0]) or 1.0
    body = [_bar(bar, place, left + HALF, HALF * 0.5 / most) for place, bar in enumerate(bars)]
    named = [cause for cause in causes if cause in {bar.cause for bar in bars}]
    width, top, high = left + 2 * HALF + MARGIN, 84, ROW * max(len(bars), 1)
    axis = f'<line x1="{left + HALF:.0f}" x2="{left + HALF:.0f}" y1="{top - 6}" y2="{top + high}" stroke="#7b8794"/>'
    none = "" if bars else f'<text x="{MARGIN}" y="{top + 20}" fill="#52606d">无差异 nothing differs</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{top + high + MARGIN}" '
        f'viewBox="0 0 {width:.0f} {top + high + MARGIN}" font-family="{escape(FONT)}" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{MARGIN}" y="28" font-size="16" font-weight="600" '
        f'fill="#1f2933">{escape(title)}</text>{_legend(named, causes)}{axis if bars else none}'
        f'<g transform="translate(0,{top})">{"".join(body)}</g></svg>\n'
    )


def _bar(bar: Bar, place: int, zero: float, scale: float) -> str:
    y, long = place * ROW, bar.tonnes * scale
    x, end = (zero, zero + long + 6) if long >= 0 else (zero + long, zero + long - 6)
    size, unit = next((one for one in UNITS if abs(bar.tonnes) >= one[0]), UNITS[-1])
    anchor = "start" if long >= 0 else "end"
    figure = f"{bar.tonnes / size:+,.2f} {unit}"
    told = f"{bar.label}: {figure} {bar.share}, {bar.cause}"
    return (
        f'<g><title>{escape(told)}</title><text x="{MARGIN}" y="{y + 14}" fill="#1f2933">{escape(bar.label)}</text>'
        f'<text x="{MARGIN}" y="{y + 30}" font-size="11" fill="#52606d">{escape(bar.label_en)}</text>'
        f'<rect x="{x:.1f}" y="{y + 6}" width="{max(abs(long), 1):.1f}" height="{BAR}" fill="{COLOURS[bar.cause]}"/>'
        f'<text x="{end:.1f}" y="{y + 20}" font-size="12" text-anchor="{anchor}" fill="#1f2933">'
        f"{escape(f'{figure} {bar.share}')}</text></g>"
    )


def _legend(named: Sequence[str], causes: Mapping[str, str]) -> str:
    made, x = [], float(MARGIN)
    for cause in named:
        text = f"{causes[cause]} {cause}"
        made.append(f'<rect x="{x:.0f}" y="46" width="12" height="12" fill="{COLOURS[cause]}"/>'
                    f'<text x="{x + 17:.0f}" y="57" font-size="12" fill="#1f2933">{escape(text)}</text>')  # fmt: skip
        x += _wide(text) + 36
    return "".join(made)


def _wide(text: str) -> float:
    return sum(LETTER * (1.85 if unicodedata.east_asian_width(letter) in "WF" else 1) for letter in text)

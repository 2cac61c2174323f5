"""A picture of gaps or sums: a bar to the left or right of nothing for each, coloured by its cause, labelled in two languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from lineage.picture import FONT

# As far apart as people with any colour vision can tell them (Okabe and Ito), what nobody can explain in the darkest.
COLOURS = {"unit": "#cc79a7", "rounding": "#bdbdbd", "time": "#56b4e9", "boundary": "#0072b2", "missing": "#e69f00",
           "factors": "#009e73", "revision": "#f0e442", "statistical": "#d55e00", "unexplained": "#222222",
           "complete": "#0072b2", "lacking": "#e69f00"}  # fmt: skip
ROW, BAR, HALF, MARGIN, LETTER = 40, 18, 340, 24, 7.2
UNITS = ((1e6, "Mt"), (1e3, "kt"), (1.0, "t"))


@dataclass(frozen=True)
class Bar:
    """One gap or sum in tonnes, with its share as text, and what it is of in Chinese and English.

    What is not known (None) has no bar, since that is no zero; its text says what it is.
    """

    label: str
    label_en: str
    tonnes: float | None
    share: str
    cause: str


def svg(
    bars: Sequence[Bar], title: str, causes: Mapping[str, str], *, notes: Sequence[str] = (), signed: bool = True,
    none: str = "无差异 nothing differs",
) -> str:  # fmt: skip
    """Return bars as SVG; `causes` are the names of causes in Chinese. No bar at all gives a picture that says so.

    `notes` stand below; a figure that is not `signed` has a sign where it is negative.
    """
    left = MARGIN + max([_wide(text) for bar in bars for text in (bar.label, bar.label_en)] or [0]) + 20
    most = max([abs(bar.tonnes or 0) for bar in bars] or [0]) or 1.0
    room = max([HALF, *(HALF * 0.5 + _wide(_figure(bar, signed)) + 12 for bar in bars)])
    zero = left + (room if signed or any((bar.tonnes or 0) < 0 for bar in bars) else 0)
    body = [_bar(bar, place, zero, HALF * 0.5 / most, signed) for place, bar in enumerate(bars)]
    named = [cause for cause in causes if cause in {bar.cause for bar in bars}]
    top, high = 84, ROW * max(len(bars), 1)
    width = max(zero + room, *(MARGIN + _wide(text) * 1.2 for text in (title, *notes))) + MARGIN
    axis = f'<line x1="{zero:.0f}" x2="{zero:.0f}" y1="{top - 6}" y2="{top + high}" stroke="#7b8794"/>'
    empty = "" if bars else f'<text x="{MARGIN}" y="{top + 20}" fill="#52606d">{escape(none)}</text>'
    below = [f'<text x="{MARGIN}" y="{top + high + 20 * place}" font-size="12" fill="#52606d">{escape(note)}</text>'
             for place, note in enumerate(notes, 1)]  # fmt: skip
    tall = top + high + MARGIN + 20 * len(notes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{tall}" '
        f'viewBox="0 0 {width:.0f} {tall}" font-family="{escape(FONT)}" font-size="13">'
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{MARGIN}" y="28" font-size="16" font-weight="600" '
        f'fill="#1f2933">{escape(title)}</text>{_legend(named, causes)}{axis if bars else empty}'
        f'<g transform="translate(0,{top})">{"".join(body)}</g>{"".join(below)}</svg>\n'
    )


def _bar(bar: Bar, place: int, zero: float, scale: float, signed: bool) -> str:
    y, long = place * ROW, (bar.tonnes or 0) * scale
    x, end = (zero, zero + long + 6) if long >= 0 else (zero + long, zero + long - 6)
    anchor = "start" if long >= 0 else "end"
    figure = _figure(bar, signed)
    drawn = "" if bar.tonnes is None else (
        f'<rect x="{x:.1f}" y="{y + 6}" width="{max(abs(long), 1):.1f}" height="{BAR}" fill="{COLOURS[bar.cause]}"/>'
    )  # fmt: skip
    return (
        f"<g><title>{escape(f'{bar.label}: {figure}, {bar.cause}')}</title>"
        f'<text x="{MARGIN}" y="{y + 14}" fill="#1f2933">{escape(bar.label)}</text>'
        f'<text x="{MARGIN}" y="{y + 30}" font-size="11" fill="#52606d">{escape(bar.label_en)}</text>{drawn}'
        f'<text x="{end:.1f}" y="{y + 20}" font-size="12" text-anchor="{anchor}" fill="#1f2933">{escape(figure)}</text></g>'
    )


def _figure(bar: Bar, signed: bool) -> str:
    """Return the tonnes in a unit that suits them, and the share."""
    if bar.tonnes is None:
        return bar.share
    size, unit = next((one for one in UNITS if abs(bar.tonnes) >= one[0]), UNITS[-1])
    return f"{bar.tonnes / size:{'+' if signed else ''},.2f} {unit} {bar.share}".rstrip()


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

"""What of a PDF's text is seen: signs without ink, in the colour of their ground, covered or off the page are told apart.

pdfminer gives all text alike. Here its device keeps in which order things were painted, with which ink and how far they reach
(ISO 32000-1: 8.4 graphics state, 8.5.4 clipping, 9.3.6 text rendering mode, 11.6.5 transparency).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import pdfplumber.page
from pdfminer.layout import LTChar, LTContainer, LTFigure, LTRect
from pdfminer.pdfinterp import PDFPageInterpreter
from pdfminer.pdftypes import dict_value, resolve1
from pdfminer.psparser import literal_name
from pdfminer.utils import apply_matrix_pt, apply_matrix_rect

Box = tuple[float, float, float, float]
Ink = tuple[float, float, float]
INVISIBLE = 3  # the text rendering mode that neither fills nor strokes
LIKE, THIN = 0.04, 2.0  # inks that no eye tells apart (share of full); points below which a bar can't hide a sign
WHITE = (1.0, 1.0, 1.0)
NEXT = 0.35  # ems between signs of one number
CUT, OCR = "cut", "ocr"  # what is told of a sign that stays: part of its word is hidden; it belongs to a picture
OFF = "outside of the page"


@dataclass(frozen=True)
class Look:
    """What of the graphics state decides on what is seen: whether ink covers, and the box that painting is clipped to."""

    solid: bool = True
    clip: Box | None = None
    plain: bool = True  # whether the clip is that box, not a shape within it


@dataclass(frozen=True)
class Paint:
    """Something painted: when, where, in which ink (None: unknown, or many), whether it hides what is below."""

    order: int
    box: Box
    ink: Ink | None
    covers: bool
    picture: bool = False


class Interpreter(PDFPageInterpreter):
    """The interpreter of pdfminer, which also heeds transparency and clipping."""

    look = Look()

    def dup(self) -> Interpreter:
        """Return one for what is drawn within this one, in the same state."""
        found = self.__class__(self.rsrcmgr, self.device)
        found.look = self.look
        return found

    def get_current_state(self) -> Any:
        """Return the state to be kept by q."""
        return super().get_current_state(), self.look

    def set_current_state(self, state: Any) -> None:
        """Return to a state by Q."""
        super().set_current_state(state[0])
        self._now(state[1])

    def do_gs(self, name: Any) -> None:
        """Heed whether ink lets through what is below: constant alpha, soft mask, blend mode."""
        states = resolve1(self.resources.get("ExtGState")) or {}
        given = {key: resolve1(value) for key, value in dict_value(states.get(literal_name(name), {})).items()}
        if given.keys() & {"ca", "BM", "SMask"}:
            mode = given.get("BM", "Normal")
            through = given.get("ca", 1) != 1 or _name(given.get("SMask", "None")) != "None"
            self._now(replace(self.look, solid=not through and _name(mode) in ("Normal", "Compatible")))

    def do_W(self) -> None:  # noqa: N802
        """Clip to the path."""
        points = [apply_matrix_pt(self.ctm, (one[at], one[at + 1])) for one in self.curpath for at in range(1, len(one), 2)]  # type: ignore[arg-type]
        shape = "".join(str(one[0]) for one in self.curpath)
        box = _around(points)
        if box:
            both = _common(box, self.look.clip)
            plain = self.look.plain and shape in ("mlllh", "mllllh", "mlll", "mllll")
            self._now(replace(self.look, clip=both or (0.0, 0.0, 0.0, 0.0), plain=plain))

    do_W_a = do_W  # noqa: N815

    def do_sh(self, name: Any) -> None:
        """A shading paints all that it is clipped to, in many inks."""
        super().do_sh(name)
        self.device.painted(self.look.clip)  # type: ignore[attr-defined]

    def do_Do(self, xobjid_arg: Any) -> None:  # noqa: N802
        """Paint a picture or a form, and come back to this state."""
        super().do_Do(xobjid_arg)
        self._now(self.look)

    def _now(self, look: Look) -> None:
        self.look = self.device.look = look  # type: ignore[attr-defined]


class Device(pdfplumber.page.PDFPageAggregatorWithMarkedContent):
    """The device of pdfplumber, which keeps what was painted when, and takes out the signs that nobody sees."""

    look = Look()
    mode = 0
    order = 0
    parts = False

    def begin_page(self, page: Any, ctm: Any) -> None:
        """Begin a page with nothing on it."""
        super().begin_page(page, ctm)
        self.paints: list[Paint] = []
        self.chars: list[tuple[LTChar, int, int]] = []
        self.shown = _common(apply_matrix_rect(ctm, page.cropbox), self.cur_item.bbox) or self.cur_item.bbox

    def render_string(self, textstate: Any, *rest: Any) -> None:
        """Heed the rendering mode of a text."""
        self.mode = textstate.render
        super().render_string(textstate, *rest)

    def paint_path(self, gstate: Any, stroke: bool, fill: bool, evenodd: bool, path: Sequence[Any]) -> None:
        """Keep what a path paints; of one with several parts nobody knows which are holes."""
        if sum(one[0] == "m" for one in path) > 1:
            self.parts = True
            super().paint_path(gstate, stroke, fill, evenodd, path)
            self.parts = False
            return
        before = len(self.cur_item._objs)
        super().paint_path(gstate, stroke, fill, evenodd, path)
        wide = gstate.linewidth * _scale(self.ctm) / 2 if stroke else 0.0
        for one in self.cur_item._objs[before:]:
            plain = fill and isinstance(one, LTRect) and not self.parts
            ink = _ink(gstate.ncs.name, gstate.ncolor) if plain else None
            self._paint((one.x0 - wide, one.y0 - wide, one.x1 + wide, one.y1 + wide), ink, plain and gstate.ncs.name != "Pattern")

    def render_image(self, name: str, stream: Any) -> None:
        """Keep where a picture is."""
        super().render_image(name, stream)
        through = any(stream.get(key) is not None for key in ("SMask", "Mask", "ImageMask", "IM"))
        self._paint(self.cur_item.bbox, None, not through, picture=True)

    def render_char(self, *given: Any, **more: Any) -> float:
        """Keep when a sign is painted, and how."""
        found = super().render_char(*given, **more)
        self.order += 1
        self.chars.append((cast(LTChar, self.cur_item._objs[-1]), self.order, self.mode))
        return found

    def painted(self, box: Box | None) -> None:
        """Keep that something was painted that is no object: anywhere, where the box is not known."""
        self._paint(box or self.shown, None, False)

    def _paint(self, box: Box, ink: Ink | None, covers: bool, *, picture: bool = False) -> None:
        self.order += 1
        frames = [one.bbox for one in (*self._stack, self.cur_item) if isinstance(one, LTFigure)]
        seen: Box | None = box
        for other in (*frames, self.look.clip):
            seen = _common(seen, other) if seen else None
        if seen and min(seen[2] - seen[0], seen[3] - seen[1]) >= THIN:
            solid = self.look.solid
            self.paints.append(Paint(self.order, seen, ink if solid else None, covers and solid and self.look.plain, picture))

    def end_page(self, page: Any) -> None:
        """Take out what nobody sees, and count it."""
        why = [self._why(*one) for one in self.chars]
        if why and set(why) == {OFF}:  # rather is the page damaged, and its text not where it belongs: it stays, in doubt
            why = [OCR] * len(why)
        gone = {id(one[0]) for one, reason in zip(self.chars, why, strict=True) if reason and reason != OCR}
        for at, (one, *_) in enumerate(self.chars):
            beside = [self.chars[other][0] for other in (at - 1, at + 1) if 0 <= other < len(self.chars)]
            cut = id(one) not in gone and any(id(other) in gone and _next(one, other) for other in beside)
            one.tag = CUT if cut else OCR if why[at] == OCR else None  # type: ignore[attr-defined]
        for container in _containers(self.cur_item) if gone else ():
            container._objs = [one for one in container._objs if id(one) not in gone]
        told = Counter(reason for (one, *_), reason in zip(self.chars, why, strict=True)
                       if reason and reason != OCR and one.get_text().strip())  # fmt: skip
        self.cur_item.hidden = dict(told)  # type: ignore[attr-defined]
        super().end_page(page)

    def _why(self, one: LTChar, order: int, mode: int) -> str:
        """Say why a sign can't be seen; "" for one that can, OCR for the text of a picture."""
        x, y = (one.x0 + one.x1) / 2, (one.y0 + one.y1) / 2
        here = [paint for paint in self.paints if paint.box[0] <= x <= paint.box[2] and paint.box[1] <= y <= paint.box[3]]
        if not (self.shown[0] <= x <= self.shown[2] and self.shown[1] <= y <= self.shown[3]):
            return OFF
        above = [paint for paint in here if paint.order > order and paint.covers and _within(one.bbox, paint.box)]
        if mode == INVISIBLE or above:
            if any(paint.picture for paint in (here if mode == INVISIBLE else above)):
                return OCR
            return "without ink" if mode == INVISIBLE else "covered"
        below = max((paint for paint in here if paint.order < order), key=lambda paint: paint.order, default=None)
        ground, ink = below.ink if below else WHITE, _ink(one.ncs.name, one.graphicstate.ncolor)
        return "in the colour of their ground" if mode in (0, 4) and ground and ink and _alike(ground, ink) else ""


@contextmanager
def heeded() -> Iterator[None]:
    """Read pages with what can be seen told apart; `page.layout.hidden` counts the signs that were left out, by reason."""
    module: Any = pdfplumber.page
    before = module.PDFPageAggregatorWithMarkedContent, module.PDFPageInterpreter
    module.PDFPageAggregatorWithMarkedContent, module.PDFPageInterpreter = Device, Interpreter
    try:
        yield
    finally:
        module.PDFPageAggregatorWithMarkedContent, module.PDFPageInterpreter = before


def _ink(space: str, color: Any) -> Ink | None:
    """Return red, green and blue from 0 to 1, as near as needed to tell what is alike; None for inks of other spaces."""
    parts = color if isinstance(color, tuple) else (color,)
    if not all(isinstance(one, int | float) for one in parts):
        return None
    if space in ("DeviceGray", "CalGray", "DeviceRGB", "CalRGB", "DeviceCMYK", "ICCBased"):
        if len(parts) == 1:
            return (float(parts[0]),) * 3
        if len(parts) == 3:
            return (float(parts[0]), float(parts[1]), float(parts[2]))
        if len(parts) == 4:
            cyan, magenta, yellow, black = map(float, parts)
            return ((1 - cyan) * (1 - black), (1 - magenta) * (1 - black), (1 - yellow) * (1 - black))
    return None


def _alike(one: Ink, other: Ink) -> bool:
    return all(abs(a - b) <= LIKE for a, b in zip(one, other, strict=True))


def _around(points: Sequence[tuple[float, float]]) -> Box | None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs), min(ys), max(xs), max(ys)) if points else None


def _common(one: Box, other: Box | None) -> Box | None:
    """Return where two boxes overlap; None where they do not."""
    if other is None:
        return one
    box = (max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]))
    return box if box[0] < box[2] and box[1] < box[3] else None


def _within(one: Box, other: Box) -> bool:
    """Tell whether a sign lies in a box: all of its width, and its height but for what stands above and below its letters."""
    rim = 0.15 * (one[3] - one[1])
    return other[0] - 0.5 <= one[0] and one[2] <= other[2] + 0.5 and other[1] - rim <= one[1] and one[3] <= other[3] + rim


def _next(one: LTChar, other: LTChar) -> bool:
    """Tell whether two signs stand side by side as within a word or a number."""
    gap = max(one.x0, other.x0) - min(one.x1, other.x1)
    size = max(one.height, other.height)
    return abs(one.y0 - other.y0) < 0.3 * size and gap < NEXT * size and (one.get_text() + other.get_text()).strip() != ""


def _scale(matrix: Any) -> float:
    return float(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]) ** 0.5) if matrix else 1.0


def _name(given: Any) -> str:
    """Return a name, the first of a list of them; of what is a dictionary its kind."""
    first = given[0] if isinstance(given, list) and given else given
    return str(getattr(first, "name", "a mask" if isinstance(first, dict) else first))


def _containers(item: Any) -> Iterable[Any]:
    yield item
    for one in item._objs:
        if isinstance(one, LTContainer):
            yield from _containers(one)

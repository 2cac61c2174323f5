"""A workbook as a company keeps it, and what it takes to have it as a table against pandas reading it with openpyxl alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks import content
from benchmarks.against_others import fresh
from benchmarks.result import Result, Row, Setting, as_json, peak, said, seconds
from benchmarks.side import python

TABLE, FULL, MEASURES, FIRST = "cleaned.bench_workbook", 100_000, 16, 4
LETTERS = "ABCDEFGHIJKLMNOPQRST"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
LISTED = {"workbook": "sheet.main", "worksheets/sheet1": "worksheet", "styles": "styles", "sharedStrings": "sharedStrings"}
LINKED = {"worksheet": "worksheets/sheet1", "styles": "styles", "sharedStrings": "sharedStrings"}
TYPES = "".join(f'<Override PartName="/xl/{name}.xml" ContentType="{KINDS}.{kind}+xml"/>' for name, kind in LISTED.items())
LINKS = "".join(f'<Relationship Id="{kind}" Type="{OFFICE}/{kind}" Target="{name}.xml"/>' for kind, name in LINKED.items())
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{TYPES}</Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="台账" sheetId="1" r:id="worksheet"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{LINKS}</Relationships>',
    # Style 1 is a date.
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts><font/></fonts><fills><fill><patternFill/></fill></fills><borders>'
    '<border/></borders><cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>",
}  # fmt: skip
HIDDEN = ' hidden="1"'
ATTRIBUTES = {"s": ' t="s"', "d": ' s="1"', "n": ""}
MERGED = "".join(f'<mergeCell ref="{area}"/>' for area in ("A1:A2", "B1:B2", "C1:J1", "K1:R1", "S1:S2", "T1:T2"))
ENDING = "注：估算值以同期推算。"


def excel(setting: Setting) -> Result:
    """Measure xlsx to Delta, with addresses, hidden rows, units and totals looked at, against pandas and openpyxl reading it."""
    rows = max(5000, int(FULL * setting.scale))
    path = _workbook(setting.cache / f"workbook-{rows}.xlsx", rows)
    our, their = [], []
    for _ in range(setting.repeats):
        lake = fresh(setting, "lake")
        our.append(python("benchmarks.ours", "build", lake, path, TABLE))
        their.append(python("benchmarks.by_hand.pandas_workbook", path))
        content.demand_equal("rows and sums", _sums(lake), their[-1].says["sums"])
    ratio = said(their, "seconds") / said(our, "land", "build")
    note = (f"{seconds(their) / seconds(our):.1f} × with the start of both processes counted; "
            f"memory {peak(our):.1f} GiB against {peak(their):.1f}")  # fmt: skip
    work = f"xlsx {rows:,} × 20 → Delta, with the place of each cell, units, hidden rows, totals"
    row = Row(work, "pandas and openpyxl reading alone", ratio, 8, 4, "× faster", more=True, note=note)
    return Result("excel", (row,), f"{rows:,} rows, {MEASURES} sums", as_json(ours=our, pandas=their))


def _sums(lake: Path) -> list[Any]:
    """Return the rows and the sum of each measure, in thousandths, which are whole."""
    sums = ", ".join(f"cast(sum(m{n}) * 1000 as bigint)" for n in range(MEASURES))
    found = duckdb.connect().execute(f"select count(*), {sums} from ({content.table(lake, TABLE)})").fetchone()
    return list(found or ())


def _workbook(path: Path, rows: int) -> Path:
    """Write the workbook as Excel writes one, once: texts shared, dates as numbers, a header of two rows, sums at the end."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(20260101).integers(0, 10_000_000, (rows, MEASURES))
    texts = ["站点", "日期", "用电", "用热", "状态", "备注", "kWh", "GJ", "合计", "实测", "估算", ENDING]
    texts += [f"指标{n}" for n in range(MEASURES)] + [f"站点{n:04d}" for n in range(500)] + [f"第{n}次抄表" for n in range(2000)]
    place = {text: n for n, text in enumerate(texts)}
    half = Path(f"{path}.half")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, XML + text)
        listed = "".join(f"<si><t>{text}</t></si>" for text in texts)
        archive.writestr("xl/sharedStrings.xml", f'{XML}<sst xmlns="{MAIN}">{listed}</sst>')
        with archive.open("xl/worksheets/sheet1.xml", "w") as file:
            for line in _lines(values, place):
                file.write(line.encode())
    half.rename(path)
    return path


def _lines(values: np.ndarray[Any, Any], place: dict[str, int]) -> Iterator[str]:
    groups = ["用电"] * (MEASURES // 2) + ["用热"] * (MEASURES // 2)
    yield f'{XML}<worksheet xmlns="{MAIN}"><sheetData>'
    yield _row(1, [f"s{place[text]}" for text in ("站点", "日期", *groups, "状态", "备注")])
    yield _row(2, ["", "", *(f"s{place[f'指标{n}']}" for n in range(MEASURES)), "", ""])
    yield _row(3, ["", "", *(f"s{place['kWh' if group == '用电' else 'GJ']}" for group in groups), "", ""])
    for n, measures in enumerate(values.tolist()):
        cells = [f"s{place[f'站点{n % 500:04d}']}", f"d{45292 + n // 500}", *(f"n{value / 1000!r}" for value in measures)]
        cells += [f"s{place['估算' if n % 50 == 0 else '实测']}", f"s{place[f'第{n % 2000}次抄表']}"]
        yield _row(n + FIRST, cells, hidden=n % 1000 == 7)
    last = FIRST + len(values)
    sums = [f"f{total / 1000!r}" for total in values.sum(axis=0).tolist()]
    yield _row(last, [f"s{place['合计']}", "", *sums, "", ""], last=last - 1)
    yield _row(last + 2, [f"s{place[ENDING]}"])
    yield f'</sheetData><mergeCells count="6">{MERGED}</mergeCells></worksheet>'


def _row(number: int, cells: list[str], hidden: bool = False, last: int = 0) -> str:
    written = "".join(_cell(LETTERS[at], number, cell, last) for at, cell in enumerate(cells) if cell)
    return f'<row r="{number}" spans="1:20"{HIDDEN if hidden else ""}>{written}</row>'


def _cell(letter: str, number: int, cell: str, last: int) -> str:
    """Write a cell: `s` and the number of a text, `d` and a day, `n` and a number, `f` and the sum of the rows above."""
    kind, value = cell[0], cell[1:]
    formula = f"<f>SUM({letter}{FIRST}:{letter}{last})</f>" if kind == "f" else ""
    return f'<c r="{letter}{number}"{ATTRIBUTES.get(kind, "")}>{formula}<v>{value}</v></c>'

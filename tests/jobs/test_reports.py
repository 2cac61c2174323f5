"""Reports tell what the lake holds, to the last digit shown; versions are kept; a template's mistake is named."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pdfplumber
import pytest
from deltalake import DeltaTable
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from typer.testing import CliRunner

from carbonlake.cli import app
from conf.settings import Webhook
from jobs.lake import Lake
from jobs.query import sql
from jobs.reports import asked, figures, kept, making, pages, printed, sent, sheets, template
from jobs.reports.figures import Figures
from jobs.reports.shown import total
from schemas.errors import UserError
from schemas.rooms import VARIABLE
from tests.jobs.test_webhooks import Receiver, receiver  # noqa: F401 - a fixture

WHO, ID = "91140000EXAMPLE022", "enterprise-91140000EXAMPLE022-2024-v1"
MEMBER = f"member = 'enterprise:{WHO}' and level = 'enterprise' and book = 'enterprise'"
TEXT = "# {{ name }}\n\n## 总量\n\n{{ total }}\n\n{{ table:books }}\n\n{{ chart:months }}\n"


@pytest.fixture(scope="module")
def lake(demo_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("reports") / "lake"
    shutil.copytree(demo_lake, folder)
    return Lake(str(folder)).init()


@pytest.fixture(scope="module")
def told(lake: Lake) -> Iterator[Figures]:
    with figures.opened(lake) as (duck, versions):
        yield figures.figures(duck, versions, asked.find(duck, "enterprise", WHO, 2024))


@pytest.fixture(scope="module")
def made(lake: Lake) -> dict[str, bytes]:
    (one,) = making.make(lake, "enterprise", 2024, [WHO], template.FORMATS)[1]
    return {Path(name).suffix: content for name, content in kept.files(lake, one.row).items()}


def asked_of(lake: Lake, text: str) -> list[dict[str, Any]]:
    return sql(lake, text).to_pylist()  # type: ignore[no-any-return]


def shown(value: Decimal | None) -> str:
    return "—" if value is None else f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"


MONTHS = f"""select strftime(period, '%Y-%m') as month, sum(emission_tco2e) as t from business.emission_rollup
where {MEMBER} and grain = 'month' and year(period) = 2024 group by period order by period"""


def test_word_shows_the_months_and_totals_of_the_lake(lake: Lake, made: dict[str, bytes]) -> None:
    document = docx.Document(io.BytesIO(made[".docx"]))
    grids = [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]
    (months,) = [rows for rows in grids if rows[0][0] == "月份"]
    wanted = [[row["month"], shown(row["t"])] for row in asked_of(lake, MONTHS)]
    assert len(wanted) == 12
    assert [[row[0], row[4]] for row in months[1:]] == wanted
    (whole,) = asked_of(lake, f"select emission_tco2e, unresolved_rows as n from business.emission_change where {MEMBER} "
                              "and grain = 'year' and year(period) = 2024")  # fmt: skip
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert f"{shown(whole['emission_tco2e'])} tCO2e（不含 {whole['n']} 条未能核算的活动数据" in text
    assert whole["n"] > 0
    assert "{{" not in text
    charts = [part for part in document.part.package.iter_parts() if part.partname.startswith("/word/charts/")]
    assert len(charts) == 2


def test_excel_holds_numbers_with_all_six_digits(lake: Lake, made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made[".xlsx"]))
    rows = [[cell.value for cell in row] for sheet in book.worksheets for row in sheet.iter_rows()]
    first = next(n for n, row in enumerate(rows) if row[0] == "月份")
    wanted = [(row["month"], float(row["t"])) for row in asked_of(lake, MONTHS)]
    assert [(row[0], row[4]) for row in rows[first + 1 : first + 13]] == wanted
    assert all(isinstance(value, float) and round(value, 6) == value for _, value in wanted)
    assert sum(len(sheet._charts) for sheet in book.worksheets) == 2
    assert not any(isinstance(value, str) and "{{" in value for row in rows for value in row)


def test_pdf_shows_the_same_numbers_and_chinese(lake: Lake, made: dict[str, bytes]) -> None:
    with pdfplumber.open(io.BytesIO(made[".pdf"])) as paper:
        text = re.sub(r"\s+", "", "".join(page.extract_text() for page in paper.pages))
    assert all(shown(row["t"]) in text for row in asked_of(lake, MONTHS))
    assert "温室气体排放核算报告" in text
    assert "范围一" in text


def test_every_chapter_of_the_duties_is_there(made: dict[str, bytes], told: Figures) -> None:
    text = "\n".join(p.text for p in docx.Document(io.BytesIO(made[".docx"])).paragraphs)
    for chapter in (
        "基本信息",
        "核算边界与方法",
        "活动数据及其来源",
        "排放因子与参数",
        "排放量",
        "数据质量与不确定度",
        "与上年相比",
        "追溯",
    ):
        assert chapter in text
    used = told.table("factors")
    assert {"实测值", "缺省值"} <= {row[used.columns.index("性质")] for row in used.rows}
    assert all(row[used.columns.index("出处")] for row in used.rows)
    assert told.table("overlaps").rows  # the grid company bills what the enterprise reports
    activity = told.table("activity")
    assert {row[activity.columns.index("频次")] for row in activity.rows} == {"逐月"}


def test_a_total_says_beside_it_what_it_lacks() -> None:
    assert total({"": (Decimal("1234.565"),)}, 0) == "1,234.57 tCO2e"
    assert total({"": (Decimal(1),)}, 2, 11) == "1.00 tCO2e（不含 2 条未能核算的活动数据；全年只有 11 个月的数据）"
    assert total({"": (None,)}, 2) == "未能核算（2 条活动数据没有结果）"
    both = {"范围一": (Decimal(1),), "范围二": (Decimal(2),)}
    assert total(both, 0) == "范围一 1.00 tCO2e；范围二 2.00 tCO2e（各范围不相加）"


def test_the_trace_command_finds_the_headline(lake: Lake, told: Figures) -> None:
    (_, _, value, command) = told.table("trace").rows[0]
    done = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", *command.split()[1:], "--width", "1"])
    assert done.exit_code == 0, done.output
    assert str(value) in done.output


def test_effects_of_a_change_add_up_to_it(told: Figures) -> None:
    causes = told.table("causes")
    at = [causes.columns.index(f"{name}(tCO2e)") for name in ("变化", "活动量效应", "因子与方法效应")]
    assert causes.rows
    for row in causes.rows:
        assert row[at[0]] == row[at[1]] + row[at[2]]
    assert sum(row[at[0]] for row in causes.rows) == told.table("change").rows[0][4]


@pytest.mark.parametrize("kind", ["park", "region"])
def test_lines_of_each_park_and_region_add_up_to_its_roll_up(lake: Lake, kind: str) -> None:
    with figures.opened(lake) as (duck, versions):
        every = asked.every(duck, kind, 2024)
        assert len(every) > 1
        for one in every.values():
            assert figures.figures(duck, versions, one).table("members").rows  # raises where they do not add up


def test_the_same_data_give_the_same_bytes_and_no_new_version(lake: Lake, made: dict[str, bytes]) -> None:
    again = list(making.make(lake, "enterprise", 2024, [WHO], template.FORMATS)[1])
    assert [(one.row["report_id"], one.outcome) for one in again] == [(ID, "unchanged")]
    assert {Path(name).suffix: content for name, content in kept.files(lake, again[0].row).items()} == made


def test_changed_data_or_template_give_a_new_version(lake: Lake, told: Figures, tmp_path: Path) -> None:
    own = tmp_path / "own.md"
    own.write_text(TEXT, encoding="utf-8")
    used = {"docx": template.Template(own)}
    first = kept.keep(lake, told, {"docx": b"one"}, used)
    moved = dataclasses.replace(told, versions={**told.versions, "business.emission": 99})
    second = kept.keep(lake, moved, {"docx": b"two"}, used)
    assert second.row["version"] == first.row["version"] + 1
    assert "business.emission changed" in second.outcome
    assert json.loads(second.row["tables"])["business.emission"] == 99


def test_a_file_that_was_changed_after_it_was_kept_is_told(lake: Lake, told: Figures) -> None:
    row = kept.keep(lake, told, {"pdf": b"as made"}, {}).row
    Path(kept.place(lake, f"{row['report_id']}.pdf")).write_bytes(b"altered")
    with pytest.raises(UserError, match="not what was kept"):
        kept.files(lake, row)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{{ nmae }}", "unknown placeholder {{ nmae }}\n  → did you mean name"),
        ("{{ table:boks }}", "unknown placeholder {{ table:boks }}\n  → did you mean table:books"),
        ("{{ table:books(帐册) }}", "the table books has no column '帐册'\n  → did you mean 账册"),
    ],
)
def test_a_placeholder_that_nobody_knows_is_named_with_its_file(told: Figures, tmp_path: Path, line: str, message: str) -> None:
    own = tmp_path / "own.md"
    own.write_text(f"# x\n\n{line}\n", encoding="utf-8")
    for fill in (pages.pages, sheets.sheets):
        with pytest.raises(UserError) as raised:
            fill(template.Template(own), told)
        assert message in str(raised.value)
        assert str(raised.value).startswith(str(own))


def test_a_template_is_edited_in_word_and_excel(told: Figures, tmp_path: Path) -> None:
    for name in ("own.docx", "own.xlsx", "own.md"):
        making.write_template("enterprise", tmp_path / name)
    document = docx.Document(str(tmp_path / "own.docx"))
    cut = document.add_paragraph()
    for part in ("合计 {{ to", "tal", " }}。"):  # Word cuts what is typed into runs of its own
        cut.add_run(part)
    document.sections[0].header.paragraphs[0].text = "{{ name }}"
    document.save(str(tmp_path / "own.docx"))
    filled = pages.pages(template.Template(tmp_path / "own.docx"), told).document
    assert filled.paragraphs[-1].text == f"合计 {told.facts['total']}。"
    assert filled.sections[0].header.paragraphs[0].text == told.facts["name"]
    assert sheets.sheets(template.Template(tmp_path / "own.xlsx"), told)
    with pytest.raises(UserError, match="there already"):
        making.write_template("enterprise", tmp_path / "own.md")


def test_placeholders_in_links_and_first_pages_are_filled_and_one_in_an_address_is_refused(told: Figures, tmp_path: Path) -> None:
    own, document = tmp_path / "own.docx", docx.Document()
    section = document.sections[0]
    section.different_first_page_header_footer = True
    section.first_page_header.paragraphs[0].text = "{{ name }}"
    rid = document.part.relate_to("https://example.org", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    for runs in (("{{ code }}",), ("{{ ye", "ar }}")):
        words = "".join(f"<w:r><w:t>{one}</w:t></w:r>" for one in runs)
        document.add_paragraph()._p.append(parse_xml(f'<w:hyperlink {nsdecls("w", "r")} r:id="{rid}">{words}</w:hyperlink>'))
    document.save(own)
    made = pages.pages(template.Template(own), told)
    assert made.content(told)
    assert [one.text for one in made.document.paragraphs] == [told.facts["code"], told.facts["year"]]
    assert made.document.sections[0].first_page_header.paragraphs[0].text == told.facts["name"]
    document.part.relate_to("https://example.org/{{ id }}", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    document.save(own)
    with pytest.raises(UserError, match=r"own\.docx: word/_rels/document\.xml\.rels: the placeholder {{ id }} would be left"):
        pages.pages(template.Template(own), told).content(told)


def test_a_placeholder_in_the_footer_of_a_sheet_is_refused(told: Figures, tmp_path: Path) -> None:
    own, book = tmp_path / "own.xlsx", openpyxl.Workbook()
    book.active["A1"] = "{{ name }}"
    book.active.oddFooter.center.text = "{{ name }}"
    book.save(own)
    with pytest.raises(UserError, match=r"own\.xlsx: xl/worksheets/sheet1\.xml: the placeholder {{ name }} would be left"):
        sheets.sheets(template.Template(own), told)


def test_a_month_of_which_nobody_knows_is_a_gap_in_the_printed_chart_and_no_nought() -> None:
    months = [("2024-01", Decimal(5), Decimal(1)), ("2024-02", None, None), ("2024-03", Decimal(0), None)]
    table = figures.Table("months", "逐月", ("月份", "范围一(tCO2e)", "范围二(tCO2e)"), tuple(months))
    pdfmetrics.registerFont(UnicodeCIDFont(printed.FONT))
    drawing = printed._drawing(table)
    (bars,) = [one for one in drawing.contents if isinstance(one, VerticalBarChart)]
    assert bars.data == [[5.0, None, 0.0], [1.0, None, None]]
    assert bars.categoryAxis.categoryNames == ["2024-01", "2024-02\n（缺）", "2024-03"]
    assert drawing.asString("pdf")


def test_a_project_lays_its_template_and_tables_over_the_shipped(
    told: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports" / "tables").mkdir(parents=True)
    (tmp_path / "reports" / "enterprise.md").write_text("# {{ table:mine }}", encoding="utf-8")
    (tmp_path / "reports" / "tables" / "mine.sql").write_text(
        "-- title: 我的表\nselect count(*) as 条数 from lines", encoding="utf-8"
    )
    (tmp_path / "reports" / "tables" / "bad.sql").write_text("select nothing from lines", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    chosen = template.chosen("enterprise", "docx", None)
    (grid,) = pages.pages(chosen, told).document.tables
    assert [cell.text for row in grid.rows for cell in row.cells] == ["条数", str(len(told.duck.sql("from lines").fetchall()))]
    with pytest.raises(UserError, match=r"reports/tables/bad\.sql"):
        told.table("bad")


def test_pages_and_print_are_the_same_bytes_twice(told: Figures, tmp_path: Path) -> None:
    own = tmp_path / "own.md"
    own.write_text(TEXT, encoding="utf-8")
    one, other = (pages.pages(template.Template(own), told) for _ in range(2))
    assert one.content(told) == other.content(told)
    assert printed.printed(one, told) == printed.printed(other, told)
    assert sheets.sheets(template.Template(own), told) == sheets.sheets(template.Template(own), told)


@pytest.mark.parametrize(
    ("who", "year", "formats", "message"),
    [
        ("nobody", 2024, "docx", "there is no enterprise 'nobody'"),
        (WHO, 2001, "docx", "no activity in 2001\n  → years that have some: 2023, 2024"),
        (WHO, 2024, "odt", "'odt' is no format of a report"),
    ],
)
def test_nobody_no_year_and_no_format_are_told(lake: Lake, who: str, year: int, formats: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        making.make(lake, "enterprise", year, [who], [formats])
    assert message in str(raised.value)


def test_a_report_is_submitted_once_and_answered(lake: Lake, told: Figures, receiver: Receiver) -> None:  # noqa: F811
    newer = dataclasses.replace(told, versions={**told.versions, "business.emission": 7})
    row = kept.keep(lake, newer, {"docx": b"the report"}, {}).row
    hooks = {"bureau": Webhook(url=receiver.url, tables="ops.report", secret="a secret of ours, long enough", private=True)}
    with pytest.raises(UserError, match="0 subscriptions receive reports"):
        sent.submit(lake, {}, row["report_id"])
    receiver.answer = 503
    assert sent.submit(lake, hooks, row["report_id"])["status"] == "failed"
    with pytest.raises(UserError, match="not submitted"):
        sent.mark(lake, row["report_id"], "accepted", "bureau")
    receiver.answer = 200
    assert sent.submit(lake, hooks, row["report_id"])["status"] == "submitted"
    first, second = receiver.came
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert receiver.bodies()[0]["report"]["emission_tco2e"] == str(row["emission_tco2e"])
    with pytest.raises(UserError, match="submitted already"):
        sent.submit(lake, hooks, row["report_id"])
    assert sent.mark(lake, row["report_id"], "accepted", "bureau")["status"] == "accepted"
    assert [one["status"] for one in kept.history(lake) if one["report_id"] == row["report_id"]][-4:] == [
        "draft", "failed", "submitted", "accepted"]  # fmt: skip


def test_what_was_sent_does_not_grow_by_a_format_and_a_tenth_version_is_newer_than_a_second(lake: Lake, told: Figures) -> None:
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="sent"))
    row = kept.keep(lake, other, {"docx": b"one"}, {}).row
    assert kept.keep(lake, other, {"pdf": b"two"}, {}).outcome == "formats added"
    kept.note(lake, row | {"status": "submitted"})
    third = kept.keep(lake, other, {"xlsx": b"three"}, {})
    assert (third.row["version"], third.outcome) == (2, "new version: another format, and v1 is submitted")
    kept.note(lake, row | {"status": "accepted"})  # the ledger's newest row, of an older version
    assert kept.keep(lake, other, {"xlsx": b"four"}, {}).row["version"] == 3


def test_two_who_make_a_report_at_once_make_two_versions(lake: Lake, told: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="raced"))
    note, rivals = kept.note, [{"docx": b"theirs"}]

    def late(lake: Lake, row: kept.Row, head: DeltaTable | None = None) -> kept.Row:
        if rivals:  # they were faster, between what we read and what we write
            assert kept.keep(lake, other, rivals.pop(), {}).row["version"] == 1
        return note(lake, row, head)

    monkeypatch.setattr(kept, "note", late)
    mine = kept.keep(lake, other, {"docx": b"mine"}, {})
    assert (mine.row["version"], mine.outcome) == (2, "new version: the program changed")
    theirs = kept.report(lake, mine.row["series"] + "-v1")
    assert [set(kept.files(lake, row).values()) for row in (theirs, mine.row)] == [{b"theirs"}, {b"mine"}]


def test_a_format_that_another_adds_at_once_is_not_lost(lake: Lake, told: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="raced too"))
    kept.keep(lake, other, {"docx": b"one"}, {})
    note, rivals = kept.note, [{"pdf": b"two"}]

    def late(lake: Lake, row: kept.Row, head: DeltaTable | None = None) -> kept.Row:
        if rivals:
            kept.keep(lake, other, rivals.pop(), {})
        return note(lake, row, head)

    monkeypatch.setattr(kept, "note", late)
    row = kept.keep(lake, other, {"xlsx": b"three"}, {}).row
    assert row["version"] == 1 and set(kept.files(lake, row).values()) == {b"one", b"two", b"three"}


def test_what_is_sent_at_once_gets_no_other_format(lake: Lake, told: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="raced with a receiver"))
    draft, note = kept.keep(lake, other, {"docx": b"one"}, {}).row, kept.note
    rivals = [draft | {"status": "submitted"}]

    def late(lake: Lake, row: kept.Row, head: DeltaTable | None = None) -> kept.Row:
        if rivals:
            note(lake, rivals.pop())
        return note(lake, row, head)

    monkeypatch.setattr(kept, "note", late)
    made = kept.keep(lake, other, {"pdf": b"two"}, {})
    assert made.outcome == "new version: another format, and v1 is submitted"
    assert list(kept.files(lake, kept.report(lake, draft["report_id"])).values()) == [b"one"]


def test_a_format_that_is_added_while_a_report_is_sent_is_kept_and_told(
    lake: Lake,
    told: Figures,
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="sent while it grew"))
    draft, post = kept.keep(lake, other, {"docx": b"one"}, {}).row, sent.post
    hooks = {"bureau": Webhook(url=receiver.url, tables="ops.report", secret="a secret of ours, long enough", private=True)}

    def slow(*given: Any, **more: Any) -> Any:
        assert kept.keep(lake, other, {"pdf": b"two"}, {}).outcome == "formats added"
        return post(*given, **more)

    monkeypatch.setattr(sent, "post", slow)
    row = sent.submit(lake, hooks, draft["report_id"])
    assert row["status"] == "submitted" and row["reply"].endswith(f"; {draft['report_id']}.pdf came too late and was not sent")
    assert sorted(kept.files(lake, row).values()) == [b"one", b"two"]
    assert sorted(kept.files(lake, sent.mark(lake, draft["report_id"], "accepted", "bureau")).values()) == [b"one", b"two"]


def test_what_was_sent_stays_as_it_was_when_data_change(lake: Lake, told: Figures) -> None:
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="stays"))
    sent_row = kept.note(lake, kept.keep(lake, other, {"docx": b"sent"}, {}).row | {"status": "submitted"})
    moved = dataclasses.replace(other, versions={**told.versions, "business.emission": 98})
    assert kept.keep(lake, moved, {"docx": b"newer"}, {}).row["version"] == 2
    assert kept.report(lake, sent_row["report_id"])["status"] == "submitted"
    assert list(kept.files(lake, sent_row).values()) == [b"sent"]


def test_a_name_in_excel_is_never_a_formula_and_charts_keep_below_what_grew(told: Figures, tmp_path: Path) -> None:
    own, rows = tmp_path / "own.xlsx", (("=1+1", Decimal(1)), ("@SUM(1)", Decimal(2)))
    book = openpyxl.Workbook()
    book.active.append(["{{ name }}"])
    book.active.append(["{{ table:evil }}"])
    book.active.append(["{{ chart:evil }}"])
    book.save(own)
    evil = figures.Table("evil", "=2", ("=名", "排放量(tCO2e)"), rows)
    other = dataclasses.replace(told, asked_for={"evil": evil})
    other.__dict__["facts"] = told.facts | {"name": '=HYPERLINK("x")'}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(template, "tables", lambda: {"evil": own})
        sheet, data = openpyxl.load_workbook(io.BytesIO(sheets.sheets(template.Template(own), other))).worksheets
    cells = [cell for one in (sheet, data) for row in one.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert sheet["A1"].value == '=HYPERLINK("x")'
    (drawn,) = sheet._charts
    assert drawn.anchor._from.row == 2 + len(rows) + 2  # it stood in row 3, which the table pushed down


def test_the_quantity_of_a_gap_is_not_added_up(told: Figures) -> None:
    found = told.table("unresolved")
    gaps = [row for row in found.rows if row[1] == "时段缺报"]
    assert gaps
    assert {row[found.columns.index("活动量")] for row in gaps} == {None}


@pytest.mark.parametrize("kind", ["park", "region"])
def test_scopes_of_a_park_or_region_stand_beside_each_other_and_are_never_added(lake: Lake, kind: str) -> None:
    with figures.opened(lake) as (duck, versions):
        for one in list(asked.every(duck, kind, 2024).values())[:3]:
            told = figures.figures(duck, versions, one)
            scopes = dict(duck.execute("select scope, sum(emission_tco2e) from rollup where grain = 'year' and book = ? "
                                       "and scope > 0 group by scope order by scope", [one.book]).fetchall())  # fmt: skip
            assert {f"{shown(value)} tCO2e" for value in scopes.values() if value is not None} <= set(
                re.findall(r"[\d,.-]+ tCO2e", told.facts["total"]))  # fmt: skip
            assert told.headline["emission_tco2e"] == scopes.get(1)
            added = {sum(scopes.values()), told._total["emission_tco2e"]} - {*scopes.values(), None, Decimal(0)}
            for name in ("books", "change", "structure", "months", "trace", "quality", "grades", "sources", "members"):
                values = {value for row in told.table(name).rows for value in row if isinstance(value, Decimal)}
                assert not values & added, name


def test_uncertainty_is_that_of_the_lake(lake: Lake) -> None:
    (row, *_) = asked_of(lake, "select member, sqrt(sum(uncertainty_tco2e::double ^ 2)) as apart, "
                               "sum(uncertainty_most_tco2e) as most, sum(unrated_tco2e) as unrated from business.emission_rollup "
                               "where level = 'enterprise' "
                               "and grain = 'year' and year(period) = 2024 and book = 'enterprise' "
                               "and not starts_with(member, 'unknown') "
                               "group by member having apart > 0 order by member")  # fmt: skip
    with figures.opened(lake) as (duck, versions):
        found = figures.figures(duck, versions, asked.find(duck, "enterprise", row["member"], 2024)).table("quality")
    told = dict(zip(found.columns, found.rows[0], strict=True))
    assert float(told["不确定度(tCO2e)"]) == pytest.approx(row["apart"], abs=1e-6)
    assert (told["不确定度上界(tCO2e)"], told["不确定度未知的排放(tCO2e)"]) == (row["most"], row["unrated"])


def test_a_code_can_not_lead_a_file_out_of_its_folder() -> None:
    names = [
        asked.Asked("park", "park", f"park:{code}", 2024, "enterprise").stem for code in ("../../out", "a:out", "out", "A-1.园")
    ]
    assert names == ["park-..~2F..~2Fout-2024", "park-a~3Aout-2024", "park-out-2024", "park-A-1.园-2024"]


def test_a_formula_that_a_table_would_push_is_refused(told: Figures, tmp_path: Path) -> None:
    own, book = tmp_path / "own.xlsx", openpyxl.Workbook()
    book.active.append(["{{ table:books }}", "=SUM(A2:A9)"])
    book.create_sheet("other").append(["=1+1", "{{ name }}"])
    book.save(own)
    with pytest.raises(UserError, match=r"own\.xlsx: Sheet!B1") as raised:
        sheets.sheets(template.Template(own), told)
    assert "another sheet" in str(raised.value)
    book.active["B1"] = None
    book.save(own)
    assert sheets.sheets(template.Template(own), told)


def test_a_release_older_than_a_column_says_what_to_do(told: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new.sql"
    path.write_text("select newer_column from rollup", encoding="utf-8")
    monkeypatch.setattr(figures, "tables", lambda: {"new": path})
    other = dataclasses.replace(told, asked=dataclasses.replace(told.asked, release="2020"), asked_for={})
    with pytest.raises(UserError, match=r"newer_column(?s:.)*release 2020 may be older than a column"):
        other.table("new")


def test_a_control_character_in_a_name_is_no_stack_trace(told: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, own = tmp_path / "bad.sql", tmp_path / "own.md"
    path.write_text("select 'a' || chr(1) || 'b' as x", encoding="utf-8")
    own.write_text("{{ table:bad }}", encoding="utf-8")
    for module in (figures, template):
        monkeypatch.setattr(module, "tables", lambda: {"bad": path})
    other = dataclasses.replace(told, asked_for={})
    (grid,) = pages.pages(template.Template(own), other).document.tables
    assert [cell.text for row in grid.rows for cell in row.cells] == ["x", "a\ufffdb"]
    assert sheets.sheets(template.Template(own), other)

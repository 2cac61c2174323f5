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
    assert total(Decimal("1234.565"), 0) == "1,234.57 tCO2e"
    assert total(Decimal(1), 2, 11) == "1.00 tCO2e（不含 2 条未能核算的活动数据；全年只有 11 个月的数据）"
    assert total(None, 2) == "未能核算（2 条活动数据没有结果）"


def test_the_trace_command_finds_the_headline(lake: Lake, told: Figures) -> None:
    (_, value, command) = told.table("trace").rows[0]
    done = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", *command.split()[1:], "--width", "1"])
    assert done.exit_code == 0, done.output
    assert str(value) in done.output


def test_effects_of_a_change_add_up_to_it(told: Figures) -> None:
    causes = told.table("causes")
    at = [causes.columns.index(f"{name}(tCO2e)") for name in ("变化", "活动量效应", "因子与方法效应")]
    assert causes.rows
    for row in causes.rows:
        assert row[at[0]] == row[at[1]] + row[at[2]]
    assert sum(row[at[0]] for row in causes.rows) == told.table("change").rows[0][3]


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

"""A short Word document of our own, the same bytes on every run."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from docx import Document

TITLE = "电力与热力排放因子使用说明（自编摘要，非官方文件）"
PARAGRAPHS = (
    "本说明由示例脚本根据公开信息编写，仅用于演示文档入库与全文检索，不是任何机构发布的文件。",
    "编制区域温室气体清单时，使用数据年份对应的省级电力平均二氧化碳排放因子；西藏未发布省级因子，可使用西南区域电网因子。",
    "企业核算外购电力排放时，按主管部门要求使用全国电力平均二氧化碳排放因子。",
    "已通过绿色电力证书或绿电直供证明的电量不重复计入市场化非化石电力；扣除后的剩余电量使用不包括市场化交易的非化石能源电量的全国平均因子。",
    "产品碳足迹核算使用电力碳足迹因子，其口径为全生命周期，不得用于清单编制。",
    "当年因子尚未发布时，可使用最近一年已发布的因子，并在结果中标明。",
    "外购热力的默认排放因子为每吉焦 0.11 吨二氧化碳。",
)
FACTORS = (("数据年份", "全国平均（吨二氧化碳/兆瓦时）"), ("2021", "0.5568"), ("2022", "0.5366"), ("2023", "0.5306"))
# Any fixed day will do; a ZIP archive knows none before 1980.
DAY = datetime(2026, 1, 1, tzinfo=UTC)
SAVED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def write_word(target: Path) -> None:
    """Write the document; creation dates and the times in the archive are fixed."""
    document = Document()
    document.add_heading(TITLE, level=1)
    for text in PARAGRAPHS:
        document.add_paragraph(text)
    table = document.add_table(rows=len(FACTORS), cols=2)
    for row, texts in zip(table.rows, FACTORS, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    about = document.core_properties
    about.author, about.title, about.comments = "Carbonlake samples", TITLE, ""
    about.created = about.modified = DAY.replace(tzinfo=None)
    raw = io.BytesIO()
    document.save(raw)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(timeless(raw.getvalue()))


def timeless(archive: bytes) -> bytes:
    """Return the archive with every member dated to the same day, inside and outside."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as given, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(given.namelist()):
            member = zipfile.ZipInfo(name, DAY.timetuple()[:6])
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            target.writestr(member, SAVED.sub(rb"\g<1>" + f"{DAY:%Y-%m-%dT%H:%M:%SZ}".encode(), given.read(name)))
    return result.getvalue()

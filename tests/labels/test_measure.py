"""What is taken from documents is as right as the docs say, number by number."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from schemas.rooms import SHIPPED
from tests.labels import measure

PUBLISHED = {("sure", "right"): 692, ("doubted", "right"): 16, ("doubted", "wrong"): 33, ("not found", "missed"): 22}


def test_numbers_above_the_threshold_are_right_and_the_counts_are_those_of_the_docs(shared: Path) -> None:
    counts = measure.measure(shared)
    print({" ".join(key): number for key, number in sorted(counts.items())})
    assert counts == Counter(PUBLISHED)
    for page in ("documents.md", "documents.zh.md"):
        text = (SHIPPED / "docs" / page).read_text(encoding="utf-8")
        assert "| 692 | 0 |" in text and "| 16 | 33 |" in text and "748" in text


def test_the_labels_are_of_several_documents_in_two_languages() -> None:
    tables = {one["table"]: one["file"] for one in measure._table("tables")}
    numbers = measure._table("numbers")
    assert len(numbers) == 748 and {one["table"] for one in numbers} == set(tables)
    assert len(set(tables.values())) >= 8 and {name.split("/")[0] for name in tables.values()} == {
        "documents_pdf_en",
        "documents_pdf_zh",
    }

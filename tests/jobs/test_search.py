"""Full-text search over the passages of the demo's documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.lake import Lake
from jobs.search import search
from schemas.errors import UserError


def test_a_passage_with_all_terms_comes_first(demo_lake: Path) -> None:
    found = search(Lake(str(demo_lake)), "天津市2021年度碳排放配额")
    hits = [row["hits"] for row in found]
    assert "天津市" in found[0]["text"]
    assert "配额" in found[0]["text"]
    assert hits == sorted(hits, reverse=True)
    assert found[0]["place"].startswith("page 1 (")


def test_documents_of_both_formats_are_found(demo_lake: Path) -> None:
    lake = Lake(str(demo_lake))
    assert "天津市" in search(lake, "控排系数")[0]["document"]
    assert search(lake, "西藏 省级因子")[0]["document"].startswith("电力与热力排放因子")


def test_no_more_passages_than_asked_for_and_none_without_a_term(demo_lake: Path) -> None:
    lake = Lake(str(demo_lake))
    assert len(search(lake, "排放", limit=3)) == 3
    assert search(lake, "zeppelin") == []


def test_a_query_without_a_term_says_what_to_give(demo_lake: Path) -> None:
    with pytest.raises(UserError, match="has no term to look for"):
        search(Lake(str(demo_lake)), "。")

"""Full-text search of passages, Chinese and English, over the index layer, and of documents by what they say of themselves."""

from __future__ import annotations

from typing import Any

from jobs import documents, query
from jobs.lake import Lake
from models.terms import terms
from schemas.errors import UserError

PASSAGES = "index.passage"
NONE = "select null::varchar as passage_id, '' as document, '' as place, '' as text, '' as terms where false"


def search(lake: Lake, text: str, limit: int = 10) -> list[dict[str, Any]]:
    """Return the passages that hold the terms of a query, the best first.

    A rare term counts more than a common one (inverse document frequency, Robertson and Spärck Jones 1976) and a
    passage with all terms more than one with some. A document none of whose passages holds any is found by its name and
    title, at the place `file`. Raise UserError for a query without a term.
    """
    wanted = sorted(set(terms(text)))
    if not wanted:
        raise UserError(f"{text!r} has no term to look for", remedy="give a word, or at least two Chinese characters")
    told = documents.described(lake, wanted)
    indexed = not told or lake.open(PASSAGES) is not None
    with query.connection(lake, {PASSAGES: None} if indexed else {}) as duck:
        found = duck.execute(
            f"""
            with passages as (select passage_id, document, place, text, list_distinct(string_split(terms, ' ')) as has
                              from ({f"from {PASSAGES}" if indexed else NONE})),
            cut as (from passages union all by name
                    select * from (select unnest(?::struct(passage_id varchar, document varchar, place varchar, text varchar,
                                                          has varchar[])[], recursive := true)) as told
                    where not exists (from passages where starts_with(passages.passage_id, told.passage_id || '|')
                                      and list_has_any(passages.has, ?::varchar[]))),
            asked as (select unnest(?::varchar[]) as term),
            rare as (select term, ln(1 + (select count(*) from cut) / (1 + count(passage_id))) as weight
                     from asked left join cut on list_contains(has, term) group by term)
            select document, place, text, count(*) as hits, sum(weight) as score
            from cut join rare on list_contains(has, term)
            group by document, place, text, passage_id order by hits desc, score desc, document, place limit ?""",
            [told, wanted, wanted, limit],
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

"""What APIs give comes in whole or not at all, against a server that misbehaves in every way we know of."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from conf import secrets
from jobs import fetch as fetching
from jobs.channels import channels
from jobs.fetch import waits
from schemas.errors import UserError
from tests.misbehaving import Answer, Asked, Site, site
from tests.sources import TABLE, Source

SECRET = "s3cr3t-t0k3n-of-tests"
KWH = "7.380000"


@pytest.fixture
def api() -> Iterator[Site]:
    with site() as made:
        yield made


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that were waited, none of which pass."""
    seconds: list[float] = []
    monkeypatch.setattr(waits, "sleep", seconds.append)
    return seconds


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: Site, waited: list[float]) -> Source:
    return Source(tmp_path, monkeypatch, {"token": SECRET})


def declare(source: Source, api: Site, more: str, *, path: str = "/readings", format: str = "json", write: str = "merge") -> None:
    options = ", options: {lines: true}" if "pages" in more else ""
    source.declare(f"{{by: http, url: '{api.url}{path}'{more}}}", format=format, write=write, more=options)


def page(numbers: Any, **more: Any) -> Answer:
    """Return a page with records as an API writes them."""
    rows = ",\n ".join(f'{{"id": {number}, "kwh": {KWH}}}' for number in numbers)
    rest = "".join(f', "{key}": {json.dumps(value)}' for key, value in more.items())
    return Answer(f'{{"data": {{"items": [{rows}]}}{rest}}}'.encode(), headers={"Content-Type": "application/json"})


def ids(source: Source, receipt: Any) -> list[int]:
    return [json.loads(line)["id"] for line in source.bytes(receipt).decode().splitlines()]


def by_page(size: int, count: int, **more: Any) -> Any:
    """Answer with pages of a list of so many records."""

    def answer(asked: Asked) -> Answer:
        start = (int(asked.query["page"]) - 1) * size
        return page(range(start, min(start + size, count)), **more)

    return answer


PAGED = ", records: data.items, pages: {by: page, parameter: page, size_parameter: size, size: 2}"
STYLES = {
    "page": ("by: page, parameter: page, size_parameter: size, size: 2", by_page(2, 5)),
    "offset": (
        "by: offset, parameter: from",
        lambda asked: page(range(int(asked.query["from"]), min(int(asked.query["from"]) + 2, 5))),
    ),
    "cursor": (
        "by: cursor, parameter: after, at: meta.next",
        lambda asked: {"": page([0, 1], meta={"next": "x"}), "x": page([2, 3], meta={"next": "y"}),
                       "y": page([4], meta={"next": None})}[asked.query.get("after", "")],
    ),
    "next": (
        "by: next, at: links.next",
        lambda asked: {"/readings": page([0, 1], links={"next": "/two?x=1"}), "/two": page([2, 3, 4], links={})}[asked.path],
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_paging_gives_every_record_as_it_stands(source: Source, api: Site, style: str) -> None:
    pages, api.answer = STYLES[style]
    declare(source, api, f", records: data.items, pages: {{{pages}}}")
    (receipt,) = source.fetch()
    assert ids(source, receipt) == [0, 1, 2, 3, 4]
    assert source.bytes(receipt).splitlines()[0].decode() == f'{{"id": 0, "kwh": {KWH}}}'
    assert [one.fresh for one in source.fetch()] == [False]


def test_pages_follow_the_header_link(source: Source, api: Site) -> None:
    second = Answer(b'[{"id": 1}]')
    first = Answer(b'[{"id": 0}]', headers={"Link": f'<{api.url}/two>; rel="next", <{api.url}/>; rel="first"'})
    api.answer = lambda asked: second if asked.path == "/two" else first
    declare(source, api, ", pages: {by: link}")
    assert ids(source, source.fetch()[0]) == [0, 1]


def test_what_was_fetched_becomes_a_table(source: Source, api: Site, spark: Any) -> None:
    api.answer = by_page(2, 3)
    declare(source, api, PAGED)
    source.fetch()
    assert [(one, str(kwh)) for one, kwh in source.built(spark, "id", "kwh")] == [(n, KWH) for n in range(3)]


def test_the_total_that_the_source_says_is_kept_and_held_against_what_came(source: Source, api: Site) -> None:
    declare(source, api, PAGED + ", total: total")
    api.answer = by_page(2, 5, total=5)
    assert json.loads(source.fetch()[0].declared) == {"rows": 5}
    api.answer = by_page(2, 5, total=6)
    with pytest.raises(UserError, match=r"records move while they are read: 5 records came, the source says 6, 3 times\n  → ask"):
        source.fetch()


def test_a_total_that_changes_between_pages_is_read_anew(source: Source, api: Site) -> None:
    declare(source, api, PAGED + ", total: total")
    api.then(page([0, 1], total=3), page([2], total=4), page([0, 1], total=4), page([2, 3], total=4))
    (receipt,) = source.fetch()
    assert (ids(source, receipt), len(api.asked)) == ([0, 1, 2, 3], 4)


def test_a_record_that_slips_over_the_border_of_a_page_is_read_anew(source: Source, api: Site) -> None:
    declare(source, api, PAGED)
    # One was inserted before it, so that the last of a page is the first of the next one, too.
    api.then(page([0, 1]), page([1, 2]), page([9, 0]), page([1, 2]), page([]))
    assert ids(source, source.fetch()[0]) == [9, 0, 1, 2]


def test_a_page_that_is_not_full_is_not_taken_for_the_last(source: Source, api: Site) -> None:
    declare(source, api, PAGED)
    api.then(page([0]), page([1, 2]), page([]))
    assert ids(source, source.fetch()[0]) == [0, 1, 2]


def test_a_fetch_of_many_pages_goes_on_in_the_middle(source: Source, api: Site) -> None:
    declare(source, api, PAGED.replace("size: 2}", "size: 2, each: 1}"))
    api.answer = lambda asked: Answer(status=403) if asked.query["page"] == "3" else by_page(2, 5)(asked)
    with pytest.raises(UserError, match="403"):
        source.fetch()
    api.answer, api.asked = by_page(2, 5), []
    (receipt,) = source.fetch()
    assert (ids(source, receipt), [one.query["page"] for one in api.asked]) == ([4], ["3", "4"])
    # All is read; the next one begins anew.
    assert [ids(source, one) for one in source.fetch()] == [[0, 1], [2, 3], [4]]


def test_pages_without_end_are_an_error(source: Source, api: Site) -> None:
    declare(source, api, PAGED.replace("size: 2}", "size: 2, most: 3}"))
    api.answer = by_page(2, 1000)
    with pytest.raises(UserError, match=r"more than 3 pages\n  → raise source.fetch.pages.most"):
        source.fetch()
    declare(source, api, ", records: data.items, pages: {by: next, at: next}")
    api.answer = lambda _: page([], next="/readings")
    with pytest.raises(UserError, match="a page leads to itself"):
        source.fetch()


def test_a_busy_server_is_left_alone_as_long_as_it_says(source: Source, api: Site, waited: list[float]) -> None:
    declare(source, api, "", format="csv")
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    api.then(Answer(status=429, headers={"Retry-After": "7"}), Answer(status=503, headers={"Retry-After": later}),
             Answer(status=500), Answer(b"id\n1\n"))  # fmt: skip
    source.fetch()
    assert waited[0] == 7 and 90 < waited[1] <= 100 and 0 <= waited[2] <= 4


def test_a_server_that_stays_busy_is_given_up(source: Source, api: Site, waited: list[float]) -> None:
    declare(source, api, "", format="csv")
    api.then(Answer(status=503))
    with pytest.raises(UserError, match=r"not fetched in 6 attempts: it answers 503\n  → the server or the line has a problem"):
        source.fetch()
    assert len(waited) == 5
    api.then(Answer(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(UserError, match=r"left alone for 3600 s\n  → fetch again after that"):
        source.fetch()


def test_answers_that_are_cut_off_are_asked_for_again_and_never_taken(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    body, packed = b"id\n" + b"1\n" * 1000, gzip.compress(b"id\n" + b"1\n" * 1000)
    in_gzip = {"Content-Encoding": "gzip"}
    api.then(Answer(body[:100], told=len(body)), Answer(packed[:-9], headers=in_gzip), Answer(b"\x1f\x8bno", headers=in_gzip),
             Answer(packed, headers=in_gzip))  # fmt: skip
    assert source.bytes(source.fetch()[0]) == body
    api.then(Answer(packed[:-9], headers=in_gzip))
    with pytest.raises(UserError, match="not fetched in 6 attempts: what was packed is cut off"):
        source.fetch()


def test_chunks_that_end_early_are_asked_for_again_and_never_taken(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    in_chunks = {"Transfer-Encoding": "chunked"}
    part, end = b"5\r\nid\n1\n\r\n", b"2\r\n2\n\r\n0\r\n\r\n"
    api.then(Answer(part, headers=in_chunks, told=-1), Answer(part + b"9\r\n2", headers=in_chunks, told=-1),
             Answer(part + end, headers=in_chunks, told=-1))  # fmt: skip
    (receipt,) = source.fetch()
    assert (source.bytes(receipt), receipt.declared, len(api.asked)) == (b"id\n1\n2\n", "", 3)
    api.then(Answer(part, headers=in_chunks, told=-1))
    with pytest.raises(UserError, match=r"not fetched in 6 attempts: .*(broken|IncompleteRead|prematurely)"):
        source.fetch()


def test_an_answer_that_does_not_say_where_it_ends_is_told(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    api.then(Answer(b"id\n1\n", told=-1))
    (receipt,) = source.fetch()
    assert json.loads(receipt.declared) == {"length": "untold"}
    api.then(Answer(gzip.compress(b"id\n2\n"), headers={"Content-Encoding": "gzip"}, told=-1))
    assert source.fetch()[0].declared == ""


SINCE = ", records: data.items, pages: {by: page, parameter: page}, since: {parameter: after, at: changed%s}"


def changes(records: list[tuple[int, str]]) -> Any:
    """Answer with those records of a list that are not before the mark, two a page."""

    def answer(asked: Asked) -> Answer:
        begin = 2 * int(asked.query["page"]) - 2
        found = [one for one in records if one[1] >= asked.query.get("after", "")][begin : begin + 2]
        return Answer(json.dumps({"data": {"items": [{"id": number, "changed": mark} for number, mark in found]}}).encode())

    return answer


def test_an_api_is_asked_for_what_changed_alone(source: Source, api: Site) -> None:
    declare(source, api, SINCE % "")
    records = [(0, "2026-01-01T00:00:00Z"), (1, "2026-01-01T19:00:00+08:00"), (2, "2026-01-01T12:00:00Z")]
    api.answer = changes(records)
    assert [ids(source, one) for one in source.fetch()] == [[0, 1, 2]]
    assert source.position()["since"] == "2026-01-01T12:00:00Z" and "after" not in api.asked[0].query
    # The record at the border comes once more, since another may be of the same moment; where it is all, it is no delivery.
    api.asked.clear()
    records[:] = records[2:]
    source.fetch()
    assert {one.query["after"] for one in api.asked} == {"2026-01-01T12:00:00Z"} and source.fetch() == []
    records.append((3, "2026-01-03T00:00:00Z"))
    assert [ids(source, one) for one in source.fetch()] == [[2, 3]]
    # What lies ahead of the clock is taken, and not gone on from: what changes until then would be passed over.
    records.append((4, "2999-01-01T00:00:00Z"))
    assert [ids(source, one) for one in source.fetch()] == [[3, 4]]
    assert source.position()["since"] == "2026-01-03T00:00:00Z"


def test_increments_that_break_off_go_on_with_the_mark_that_they_began_with(source: Source, api: Site) -> None:
    declare(source, api, SINCE.replace("parameter: page}", "parameter: page, each: 1}") % ", first: '5'")
    records = [(number, str(number)) for number in (9, 5, 7)]
    full = changes(records)
    api.answer = lambda asked: Answer(status=403) if asked.query["page"] == "2" else full(asked)
    with pytest.raises(UserError, match="403"):
        source.fetch()
    assert source.position()["highest"] == "9"
    api.answer, api.asked = full, []
    assert [ids(source, one) for one in source.fetch()] == [[7]]
    assert {one.query["after"] for one in api.asked} == {"5"}
    # The last page was empty, so that only now the round is over, and the next one begins at the highest mark of all of it.
    api.asked = []
    source.fetch()
    assert [(one.query["page"], one.query["after"]) for one in api.asked[:2]] == [("3", "5"), ("1", "9")]


def test_marks_that_are_numbers_are_compared_as_such(source: Source, api: Site) -> None:
    declare(source, api, SINCE % "")
    api.then(Answer(b'{"data": {"items": [{"id": 1, "changed": 10}, {"id": 2, "changed": 9}]}}'), page([]))
    source.fetch()
    assert source.position()["since"] == "10"


def test_marks_that_can_not_be_gone_on_from_are_refused(source: Source, api: Site) -> None:
    declare(source, api, SINCE % "")
    for mark in ("", "soon", None, "NaN"):
        api.then(Answer(json.dumps({"data": {"items": [{"id": 1, "changed": mark}]}}).encode()), page([]))
        with pytest.raises(UserError, match=r"no instant, day or number at 'changed'(.|\n)*mend source.fetch.since.at"):
            source.fetch()
    declare(source, api, SINCE % "", write="append")
    with pytest.raises(UserError, match=r"at the border of an increment come twice\n  → declare `write: merge`"):
        source.fetch()


def test_a_total_that_never_fits_is_told_as_such_and_not_for_ever_as_records_that_move(source: Source, api: Site) -> None:
    declare(source, api, PAGED + ", total: total")
    api.answer = by_page(2, 5, total=6)
    for _ in range(3):
        with pytest.raises(UserError, match="the records move while they are read: 5 records came, the source says 6, 3 times"):
            source.fetch()
    never = r"the total that the source tells never fits: 5 records came, the source says 6, at %s fetches in a row\n  → it"
    for times in (4, 5):
        with pytest.raises(UserError, match=never % times):
            source.fetch()
    (channel,) = channels(source.lake, datetime.now(UTC), [TABLE])
    assert channel.health == "failing" and "never fits" in channel.why and "leave out source.fetch.total" in channel.why
    api.answer = by_page(2, 5, total=5)
    source.fetch()
    api.answer = by_page(2, 5, total=6)
    with pytest.raises(UserError, match="the records move"):  # what fitted once may fit again
        source.fetch()


def test_requests_are_as_far_apart_as_the_contract_says(source: Source, api: Site, waited: list[float]) -> None:
    """Those that are asked again, too; the first one is at once."""
    declare(source, api, PAGED + ", per_minute: 30")
    left = [Answer(status=500, headers={"Retry-After": "0"})]
    api.answer = lambda asked: left.pop() if left and asked.query["page"] == "2" else by_page(2, 5)(asked)
    source.fetch()
    apart = [seconds for seconds in waited if seconds]
    # The clock of the test does not wait: each is due two seconds behind the one before it.
    assert len(api.asked) == 5 and [round(seconds) for seconds in apart] == [2, 4, 6, 8]


def test_every_member_of_a_gzip_is_unpacked(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    packed, head = gzip.compress(b"id\n1\n") + gzip.compress(b"2\n" * 300_000), {"Content-Encoding": "gzip"}
    api.then(Answer(packed + bytes(7), headers=head))
    assert source.bytes(source.fetch()[0]) == b"id\n1\n" + b"2\n" * 300_000
    for damaged in (packed + b"more", packed[:-3]):
        api.then(Answer(damaged, headers=head))
        with pytest.raises(UserError, match="not fetched in 6 attempts: what was packed is"):
            source.fetch()


def test_a_token_that_the_server_writes_into_its_addresses_is_not_kept(source: Source, api: Site) -> None:
    pages = ", token: {connection: token, query: key}, records: data.items, pages: {by: next, at: next, each: 1}"
    declare(source, api, pages)
    api.answer = lambda asked: (
        page([0], next=f"/readings?at=2&key={SECRET}") if "at" not in asked.query else Answer(b"busy", status=500)
    )
    with pytest.raises(UserError, match="it answers 500"):
        source.fetch()
    assert "key=" + SECRET not in str(source.position()) and api.asked[-1].query == {"at": "2", "key": SECRET}


def test_an_answer_larger_than_allowed_is_refused_before_it_fills_the_disk(source: Source, api: Site) -> None:
    declare(source, api, ", most_bytes: 1000", format="csv")
    api.then(Answer(gzip.compress(bytes(1_000_000)), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UserError, match=r"more than 1,000 bytes\n  → raise source.fetch.most_bytes"):
        source.fetch()


LOGIN = b"<!DOCTYPE html>\n<html><head><title>Please log in</title></head><body></body></html>"


@pytest.mark.parametrize("more", ["", PAGED])
def test_a_login_page_is_not_taken_for_data(source: Source, api: Site, more: str) -> None:
    declare(source, api, more)
    api.then(Answer(LOGIN, headers={"Content-Type": "application/json"}))
    with pytest.raises(UserError, match=r"a page of HTML \('Please log in'\) where json is asked for\n  → a login or a notice"):
        source.fetch()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b'{"data": {"items": ['), "the answer is no JSON"),
        (Answer(b'{"data": {}}'), "there is no 'items'\n  → mend source.fetch.records"),
        (Answer(b'{"data": {"items": {}}}'), "no list of records at 'data.items'"),
        (Answer(b"\xff\xfe"), "the answer is no UTF-8"),
        (Answer(b"[" * 100_000), "the answer is no JSON"),
        (Answer(b"id\n1\n", status=302), "it answers 302 Found\n  → check the address"),
        (Answer(status=304), "it answers 304 Not Modified\n  → check the address"),
        (Answer(status=404), "it answers 404 Not Found\n  → check the address"),
        (Answer(status=401), "it answers 401 Unauthorized\n  → see who may read it, and declare source.fetch.token"),
    ],
)
def test_answers_that_are_no_records_are_refused(source: Source, api: Site, answer: Answer, message: str) -> None:
    declare(source, api, PAGED)
    api.then(answer)
    with pytest.raises(UserError, match=message):
        source.fetch()


def test_a_token_comes_from_the_environment_and_is_never_shown(source: Source, api: Site) -> None:
    declare(source, api, ", token: {connection: token}", format="csv")
    api.then(Answer(b"id\n1\n"))
    source.fetch()
    assert api.asked[-1].headers["Authorization"] == f"Bearer {SECRET}"
    api.then(Answer(status=401))
    with pytest.raises(UserError, match="the token of connection 'token'"):
        source.fetch()
    assert secrets.redact(f"… {SECRET} …") == "… *** …"


def test_a_token_may_be_in_the_query_or_be_a_password(source: Source, api: Site) -> None:
    api.then(Answer(b"id\n1\n"))
    declare(source, api, ", token: {connection: token, query: key}, query: {a: 1}", format="csv")
    source.fetch()
    assert api.asked[-1].query == {"a": "1", "key": SECRET}
    source.connections = {"token": "user:password"}
    declare(source, api, ", token: {connection: token, prefix: 'Basic '}", format="csv")
    source.fetch()
    assert api.asked[-1].headers["Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="


@pytest.mark.parametrize("token", ["", ", header: X-Key, prefix: ''", ", query: key"])
def test_another_host_gets_no_token(source: Source, api: Site, token: str) -> None:
    with site() as other:
        other.then(Answer(b"id\n1\n"))
        api.then(Answer(status=302, headers={"Location": f"{other.url}/there"}))
        declare(source, api, f", token: {{connection: token{token}}}", format="csv")
        source.fetch()
        (asked,) = other.asked
    assert SECRET not in str(asked.headers) + str(asked.query)
    assert SECRET in str(api.asked[-1].headers) + str(api.asked[-1].query)


def test_an_address_that_leads_in_circles_is_refused(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    api.then(Answer(status=302, headers={"Location": "/readings"}))
    with pytest.raises(UserError, match="leads on more than 5 times"):
        source.fetch()


def test_a_server_that_does_not_know_of_conditions_sends_again_and_nothing_new_comes(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    api.then(Answer(b"id\n1\n", headers={"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}))
    source.fetch()
    assert [one.fresh for one in source.fetch()] == [False]
    assert api.asked[-1].headers["If-Modified-Since"] == "Thu, 01 Jan 2026 00:00:00 GMT"


def test_a_line_that_breaks_is_tried_again(
    source: Source, api: Site, monkeypatch: pytest.MonkeyPatch, waited: list[float]
) -> None:
    source.declare("{by: http, url: 'http://127.0.0.1:9/nothing'}", format="csv")
    with pytest.raises(UserError, match=r"not fetched in 6 attempts: .*refused"):
        source.fetch()
    assert len(waited) == 5


@pytest.mark.parametrize(
    ("fetch", "message"),
    [
        ("{by: http, url: 'https://me:secret@example.org/'}", "url: no user and no password here"),
        ("{by: http, url: 'https://example.org/', pages: {by: page}}", "parameter: pages by page need its name"),
        ("{by: http, url: 'https://example.org/', pages: {by: next}}", "at: pages by next need the place"),
        ("{by: http, url: 'https://example.org/', total: n}", "records, total: they go with `pages`"),
        ("{by: http, url: 'https://example.org/', token: {connection: nothing}}", "there is no connection 'nothing'"),
    ],
)
def test_a_contract_that_can_not_be_fetched_says_so(source: Source, fetch: str, message: str) -> None:
    source.declare(fetch, format="json")
    with pytest.raises(UserError, match=message) as caught:
        source.fetch()
    assert "secret@" not in str(caught.value)


def test_an_address_is_tried_without_taking_anything(source: Source, api: Site) -> None:
    declare(source, api, "", format="csv")
    api.then(Answer(b"id\n1\n", headers={"Content-Type": "text/csv"}))
    assert fetching.tested(TABLE, source.connections) == "5 bytes, text/csv"
    assert source.position() == {}

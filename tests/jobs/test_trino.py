"""Talking to Trino: addresses, what goes wrong in a person's words, and one more try where the server was lost."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from jobs import asking, trino
from schemas.errors import UserError
from tests.jobs.stand_in import DROP, ROW, done, failed, running, stand_in

SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no Trino is named"),
        ("127.0.0.1:8443", "not the address"),
        ("https://127.0.0.1:8443/lake", "not the address"),
        ("https://me@127.0.0.1/lake", "not the address"),
        ("https://me@127.0.0.1:99999/lake", "not the address"),
        ("https://me@127.0.0.1:8443", "not the address"),
        (f"https://me:{SECRET}@127.0.0.1:8443/lake", "password does not belong"),
        (f"me:{SECRET}@127.0.0.1:8443/lake", "not the address"),
    ],
)
def test_an_address_that_is_not_whole_is_told_without_what_it_holds(url: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        trino.server(url)
    assert says in str(caught.value) and caught.value.remedy
    assert SECRET not in str(caught.value)


def test_a_password_does_not_go_over_http_nor_into_what_is_printed() -> None:
    with pytest.raises(UserError, match="not sent over http"):
        trino.server("http://me@127.0.0.1:8080/lake", SECRET)
    assert SECRET not in repr(trino.server("https://me@127.0.0.1:8443/lake", SECRET))


def test_an_answer_has_names_types_and_rows() -> None:
    with stand_in(lambda at: done(**ROW)) as at:
        found = trino.ask(trino.server(at.url()), "select 7 as x")
    assert (found.names, found.types, found.rows) == (("x",), ("bigint",), [(7,)])


STARTING = (500, "java.lang.IllegalStateException: authenticators were not loaded")


@pytest.mark.parametrize(
    "first",
    [
        [DROP] * 3,
        [running, (404, "Query not found")],
        [running, *[DROP] * 3],
        [STARTING],
        [failed("SERVER_STARTING_UP", "Trino server is still initializing", "INTERNAL_ERROR")],
        [failed("NO_NODES_AVAILABLE", "No nodes available to run query", "INSUFFICIENT_RESOURCES")],
    ],
)
def test_a_question_is_asked_once_more_where_the_server_was_lost(first: list[Any]) -> None:
    with stand_in(*first, lambda at: done(**ROW)) as at:
        assert trino.ask(trino.server(at.url()), "select 7 as x").rows == [(7,)]
        assert not at.script


def test_a_server_that_is_lost_twice_is_told() -> None:
    with stand_in(running, (404, "gone"), running, (404, "gone")) as at, pytest.raises(UserError, match="lost twice"):
        trino.ask(trino.server(at.url()), "select 7 as x")
    assert not at.script


def test_what_does_not_read_is_never_repeated() -> None:
    with stand_in(running, (404, "gone")) as at, pytest.raises(UserError, match="look whether it was done"):
        trino.ask(trino.server(at.url()), "call system.register_table('a', 'b', 'c')")
    assert len(at.asked) == 1


def test_a_server_that_does_not_come_back_is_told() -> None:
    with stand_in() as at:
        gone = trino.server(at.url())
    with pytest.raises(UserError, match="not back after"):
        trino.wait(gone, patience=0.1)
    with pytest.raises(UserError, match="no Trino answers here") as caught:
        trino.ask(gone, "select 1")
    assert "trino" in caught.value.remedy


@pytest.mark.parametrize(
    ("said", "what", "remedy"),
    [
        ((401, "Access Denied: Invalid credentials"), "asks 'someone' for a password", "trino_password"),
        ((403, "Access Denied"), "may not do this", "rules"),
        ((400, "odd"), "no answer of a Trino", "trino"),
        (failed("TABLE_NOT_FOUND", "line 1:15: Table 'x.y' does not exist"), "does not exist", "carbonlake publish"),
        (failed("PERMISSION_DENIED", "Access Denied: Cannot select"), "Access Denied", "rules"),
        (failed("INVALID_ARGUMENTS", "Delta Lake snapshot ID does not exists: 9"), "snapshot", "carbonlake history"),
        (failed("HIVE_CANNOT_OPEN_SPLIT", "Error opening Hive split x", "EXTERNAL"), "split", "may be gone"),
        (failed("GENERIC_INTERNAL_ERROR", "boom", "INTERNAL_ERROR"), "boom", "q1"),
    ],
)
def test_what_trino_will_not_do_comes_with_a_remedy(said: Any, what: str, remedy: str) -> None:
    with stand_in(said) as at, pytest.raises(UserError) as caught:
        trino.ask(trino.server(at.url()), "select 1")
    assert what in str(caught.value) and remedy in caught.value.remedy


def test_the_password_is_in_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with stand_in() as at:
        port = at.port
    with pytest.raises(UserError) as caught:
        trino.ask(trino.server(f"https://me@127.0.0.1:{port}/lake", SECRET), "select 1")
    assert SECRET not in caplog.text + str(caught.value)


@pytest.mark.parametrize(
    "text", ["select 1", "-- why\nwith a as (select 1) select * from a", "(select 1)", "show tables", "explain select 1"]
)
def test_what_reads_is_known(text: str) -> None:
    assert trino.reads(text)


@pytest.mark.parametrize(
    "text", ["", "delete from a.b", "/* select */ drop table a.b", "explain analyze delete from a.b", "call x()"]
)
def test_what_does_not_read_is_refused(text: str) -> None:
    assert not trino.reads(text)
    with stand_in() as at, pytest.raises(UserError, match="only one query that reads"):
        asking.sql(trino.server(at.url()), text)
    assert not at.asked

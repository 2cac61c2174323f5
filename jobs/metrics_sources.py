"""What Prometheus is told of sources: age, volume, errors and differences of each, and how streams keep up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from jobs.channels import Channel
from schemas.fetch import STREAMS

Sample = tuple[str, tuple[str, ...], float]
# name → what it says, and its labels beside `table`
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "source_wrong": ("1 where somebody should look at a source: failing, late, differs or unusual", ("health",)),
    "source_age_seconds": ("Age of the newest delivery of a source", ()),
    "source_late_seconds": ("How long a source is behind its `freshness`; 0 where it is not late", ()),
    "source_rows": ("Rows of the newest delivery of a source", ()),
    "source_bytes": ("Bytes of the newest delivery of a source", ()),
    "source_volume_score": ("How far rows or bytes are from those before, in robust standard deviations", ("figure",)),
    "source_rows_read": ("Rows of the deliveries in force of a source that were read", ()),
    "source_rows_set_aside": ("Rows of them that wait in quarantine", ()),
    "source_fetches": ("How often a source was asked in the last 30 days: answered or failed", ("result",)),
    "source_differences": ("Figures that are not what the source declared", ()),
    "stream_behind": ("Messages that waited at the broker behind the newest batch", ()),
    "stream_messages": ("Messages of all batches in force", ()),
    "stream_refused": ("Messages that wait in quarantine", ()),
}


def samples(channels: Sequence[Channel], now: datetime) -> Iterator[Sample]:
    """Yield the samples of every source that anything is known of."""
    for one in channels:
        if one.last or one.fetches or one.due_at:
            for name, labels, value in _of(one, now):
                yield f"carbonlake_{name}", (one.table, *labels), value


def _of(one: Channel, now: datetime) -> Iterator[Sample]:
    yield "source_wrong", (one.health if one.wrong else "none",), one.wrong
    yield "source_differences", (), one.differences
    if one.lag_s is not None:
        yield "source_age_seconds", (), one.lag_s
    if one.due_at:
        yield "source_late_seconds", (), max(0.0, (now - one.due_at).total_seconds())
    for figure, volume in (("rows", one.rows), ("bytes", one.bytes)):
        if volume.newest is not None:
            yield f"source_{figure}", (), volume.newest
        if volume.score is not None:
            yield "source_volume_score", (figure,), volume.score
    yield "source_rows_read", (), one.rows_read
    yield "source_rows_set_aside", (), one.rows_set_aside
    if one.fetches:
        yield "source_fetches", ("answered",), one.fetches - one.fetches_failed
        yield "source_fetches", ("failed",), one.fetches_failed
    if one.kind in STREAMS:
        yield from _of_stream(one)


def _of_stream(one: Channel) -> Iterator[Sample]:
    yield "stream_messages", (), one.messages
    yield "stream_refused", (), one.rows_set_aside
    if one.behind is not None:
        yield "stream_behind", (), one.behind

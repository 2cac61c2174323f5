"""What a build says of itself while it works: the run and table its lines belong to, and spans where a receiver is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from types import ModuleType
from typing import Any

from conf.secrets import redact
from schemas.errors import UserError

Note = Callable[..., None]
# A receiver that does not answer costs a run no more than these seconds, at its end.
PATIENCE = 5
_ids: ContextVar[dict[str, str] | None] = ContextVar("carbonlake_ids", default=None)
_tracers: list[Any] = []


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Let every log line from here on carry ids, in this thread and in those that copy its context."""
    token = _ids.set({**current(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def add(**ids: str) -> None:
    """Add ids to those of the work that is going on, such as that of its run as soon as it is known."""
    if (found := _ids.get()) is not None:
        found.update(ids)


def current() -> Mapping[str, str]:
    """Return the ids of the work that is going on; empty outside any."""
    return _ids.get() or {}


def _nothing(error: str = "", **attributes: object) -> None:
    """Note on a span that nobody asked for."""


@contextmanager
def span(name: str, **attributes: object) -> Iterator[Note]:
    """Time a piece of work where traces are sent; what is yielded notes attributes, or an error, on it."""
    if not _tracers:
        yield _nothing
        return
    from opentelemetry.trace import StatusCode

    # By itself a span takes down an error as it is told, with whatever secret it tells.
    with _tracers[-1].start_as_current_span(name, attributes=_plain({**current(), **attributes}),
                                            record_exception=False, set_status_on_exception=False) as opened:  # fmt: skip

        def note(error: str = "", **more: object) -> None:
            opened.set_attributes(_plain({**current(), **more}))
            if error:
                opened.set_status(StatusCode.ERROR, redact(error))

        try:
            yield note
        except Exception as error:
            note(f"{type(error).__name__}: {error}")
            raise


def _plain(attributes: Mapping[str, object]) -> dict[str, Any]:
    """Return attributes under our name, those without a value left out."""
    return {f"carbonlake.{key}": value if isinstance(value, bool | int | float) else str(value)
            for key, value in attributes.items() if value is not None}  # fmt: skip


@contextmanager
def sent_to(url: str) -> Iterator[None]:
    """Send the spans of a block to an OTLP/HTTP receiver; without a URL nothing is imported and nothing is sent.

    Whatever the receiver does, the work goes on. Raise UserError where the packages are not installed.
    """
    if not url:
        yield
        return
    provider = _provider(url)
    _tracers.append(provider.get_tracer("carbonlake", version("carbonlake")))
    try:
        yield
    finally:
        _tracers.pop()
        provider.force_flush(PATIENCE * 1000)
        provider.shutdown()


def _provider(url: str) -> Any:
    sdk = _installed("opentelemetry.sdk.trace")
    export = _installed("opentelemetry.sdk.trace.export")
    otlp = _installed("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resource = _installed("opentelemetry.sdk.resources").Resource.create(
        {"service.name": "carbonlake", "service.version": version("carbonlake")}
    )
    provider = sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter(endpoint=url, timeout=PATIENCE)))
    return provider


def _installed(module: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(f"traces need {error.name}, which is not installed", where="conf: trace_url",
                        remedy="pip install 'carbonlake[traces]', or leave trace_url empty") from None  # fmt: skip

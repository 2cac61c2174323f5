"""`status` and `metrics`: how the lake stands, for people and for Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from carbonlake.world import World
from schemas.errors import UserError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LOOPBACK = "127.0.0.1"


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(metrics)


def status(context: typer.Context) -> None:
    """Show on one screen how the lake stands: tables by state, freshness, quarantine, checks, room, maintenance, energy.

    \b
    carbonlake status
    carbonlake status --json
    """
    from carbonlake import screen

    world: World = context.obj
    screen.show(world)


def metrics(
    context: typer.Context,
    serve: Annotated[Optional[int], typer.Option(help="Serve them on this port of this machine; 0 for a free one")] = None,
    file: Annotated[
        Optional[Path], typer.Option(help="Write them to a file, e.g. for node_exporter's textfile collector")
    ] = None,
) -> None:
    """Tell Prometheus how the lake stands; each time all is read anew from the lake.

    \b
    carbonlake metrics
    carbonlake metrics --file /var/lib/node_exporter/carbonlake.prom
    carbonlake metrics --serve 9109
    """
    from prometheus_client import generate_latest

    from jobs.metrics import registry

    world: World = context.obj
    found = registry(world.lake.require())
    if serve is not None:
        _serve(found, serve)
    elif file:
        _write(file, generate_latest(found))
    else:
        print(generate_latest(found).decode(), end="")


def _write(file: Path, content: bytes) -> None:
    """Put a file into its place whole: who reads it never sees half of it."""
    from jobs.store import explained, write

    with explained(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, content)


def _serve(found: CollectorRegistry, port: int) -> None:
    """Serve until somebody ends us."""
    import signal

    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=found)
    except OSError as error:
        raise UserError(f"port {port} cannot be had: {error.strerror}", where="--serve", remedy="take another, or 0") from None
    signal.signal(signal.SIGTERM, lambda number, frame: server.shutdown())
    print(f"http://{LOOPBACK}:{server.server_port}/metrics", flush=True)
    thread.join()
    server.server_close()

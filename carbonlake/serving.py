"""`engine serve`: an engine that stands, so that many commands share it."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from carbonlake.world import World

PORT = 50051


def add(app: typer.Typer) -> None:
    """Add the commands."""
    room = typer.Typer(help="An engine that stands, so that many commands share it.", no_args_is_help=True, rich_markup_mode=None)
    room.command()(serve)
    # A callback keeps `serve` a word of its own while it is the only one.
    room.callback()(lambda: None)
    app.add_typer(room, name="engine")


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port of this machine; 0 for a free one")] = PORT,
    recycle: Annotated[int, typer.Option(help="MiB above which it is begun anew once nobody is connected")] = 2048,
) -> None:
    """Serve the embedded engine on this machine until it is told to end. Whoever is on this machine can use it.

    \b
    carbonlake engine serve
    CARBONLAKE_ENGINE=sc://127.0.0.1:50051 carbonlake run
    """
    from jobs import s3a, server

    world: World = context.obj
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())

    def up(url: str) -> None:
        print(f"CARBONLAKE_ENGINE={url}", flush=True)

    try:
        with s3a.exported(world.storage or {}):  # the engine asks its environment for the way to a lake on S3
            server.serve(port, world.settings.engine_memory, recycle * 2**20, up, stop)
    except KeyboardInterrupt:
        stop.set()

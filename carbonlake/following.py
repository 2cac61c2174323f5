"""`follow`: standing beside streams, landing and building as messages come."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from carbonlake.building import assumed, receiver
from carbonlake.progress import Progress
from carbonlake.publishing import after_build
from carbonlake.world import FAILED, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.outcome import Outcome


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(follow)


def follow(
    context: typer.Context,
    selection: Annotated[
        Optional[list[str]], typer.Argument(help="Tables fed by streams, table+ with those made from them; nothing for all")
    ] = None,
    accept_gap: Annotated[bool, typer.Option(help="Take for lost what a stream no longer has, and go on behind it")] = False,
    for_seconds: Annotated[Optional[float], typer.Option("--for", help="End after so many seconds")] = None,
) -> None:
    """Stand beside MQTT and Kafka: land what comes in batches, build the tables after each, until told to stop.

    A batch and where the next one begins are one commit, so nothing is lost or doubled, whenever this is killed. A broker
    that is away is asked again; where there is no room, nothing is taken. SIGTERM and Ctrl-C finish the batch.

    \b
    carbonlake follow                            every table fed by a stream
    carbonlake follow cleaned.meter_message+     one, and all that is made from it
    """
    from jobs import follow as following

    world: World = context.obj
    terms = tuple(selection or ()) or tuple(following.streams(()))
    stop = threading.Event()
    _end_by_signal(stop)
    if for_seconds is not None:
        timer = threading.Timer(for_seconds, stop.set)
        timer.daemon = True
        timer.start()
    following.streams(terms)
    with world.engine() as engine:
        # The embedded engine takes Ctrl-C for itself as it starts, and would be gone when the last batch is to be built.
        engine.session.client  # noqa: B018 - it is there when this has an answer
        _end_by_signal(stop)
        progress = Progress(world)
        with progress:
            failed = following.follow(
                world.lake, terms, world.settings.connections, lambda: _build(world, engine, terms, progress), stop=stop,
                heard=progress.landed, tell=progress.tell, accept_gap=accept_gap,
            )  # fmt: skip
    if world.as_json:
        world.say(progress.totals() | {"failed": failed})
    if failed:
        raise typer.Exit(FAILED)


def _end_by_signal(stop: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


def _build(world: World, engine: Any, terms: Sequence[str], progress: Progress) -> list[Outcome]:
    from jobs.energy import Meter
    from jobs.run import run

    found = run(world.lake, engine, terms, workers=world.settings.workers, receiver=receiver(world), opened=world.opened,
                meter=Meter(assumed(world)))  # fmt: skip
    after_build(world, [outcome.table for outcome in found if outcome.status == "built"])
    progress.built(found)
    return found

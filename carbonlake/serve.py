"""`serve`: pages and an API, where people bring files and fill in forms."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import typer

from carbonlake.world import World
from schemas.errors import UserError

HOST, PORT = "127.0.0.1", 8080
LOOPBACK = (HOST, "::1", "localhost")


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port of this machine; 0 for a free one")] = PORT,
    host: Annotated[str, typer.Option(help="Address of this machine's own: 127.0.0.1 or ::1")] = HOST,
) -> None:
    """Serve pages and an API on this machine until it is told to end: uploads, forms, deliveries.

    Whoever is on this machine can use it; from elsewhere nobody can, for there are no accounts.

    \b
    carbonlake serve
    carbonlake serve --port 9000
    carbonlake --lake lake serve --port 0
    """
    import uvicorn

    from services.app import app
    from services.desk import Desk
    from web.pages import add as add_pages

    world: World = context.obj
    listening = listen(host, port)
    options = ("--lake", world.settings.lake, "--engine", world.settings.engine)
    made = app(Desk(world.lake, options))
    add_pages(made)
    at = f"[{host}]" if ":" in host else host
    print(f"http://{at}:{listening.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(made, log_level="warning", server_header=False, proxy_headers=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on this machine alone. Raise UserError for any other address and for a port in use."""
    if host not in LOOPBACK:
        raise UserError(f"{host} can be reached from other machines, and accounts that say who may do what do not exist yet",
                        where="--host", remedy=f"leave it at {HOST}; reach it by `ssh -L 8080:{HOST}:8080`")  # fmt: skip
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST if host == "localhost" else host, port))
        listening.listen()  # who asks before the app is up waits for it
    except (OSError, OverflowError) as error:
        listening.close()
        said = os.strerror(error.errno or 0).lower() if isinstance(error, OSError) else str(error)
        raise UserError(f"port {port}: {said}", where="--port", remedy="name another from 1024 to 65535, or 0") from None
    return listening

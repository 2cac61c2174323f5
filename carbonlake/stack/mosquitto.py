"""Mosquitto: the broker of MQTT messages, as meters send them, from the system's package."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from carbonlake.stack import processes, versions
from carbonlake.stack.home import address, folder, port, secret, write
from carbonlake.stack.missing import Missing

NEEDS: tuple[str, ...] = ()
PROCESSES = ("mosquitto",)
USER = "carbonlake"
# The system's servers are not on everybody's path.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])


def prerequisites() -> list[Missing]:
    """Name the package if it is not installed."""
    if shutil.which("mosquitto", path=PATH) and shutil.which("mosquitto_passwd", path=PATH):
        return []
    why = f"the broker of MQTT, version {versions.MOSQUITTO}"
    return [Missing("Mosquitto", why, "`apt-get install mosquitto`, or https://mosquitto.org/download/")]


def prepare(home: Path) -> None:
    """Make the file of passwords; the program hashes it in place, so that no command line holds one."""
    passwords = folder(home, "mosquitto") / "passwords"
    if not passwords.exists():
        plain = write(passwords.with_name("plain"), f"{USER}:{secret(home, 'mosquitto')}\n")
        command = [str(shutil.which("mosquitto_passwd", path=PATH)), "-U", str(plain)]
        processes.run(command, home / "logs" / "mosquitto-made.log", what="hashing a password")
        plain.chmod(0o600)
        plain.rename(passwords)


def start(home: Path) -> None:
    """Start the broker on loopback; who has no password is not let in."""
    own = home / "mosquitto"
    lines = [
        # Where root starts it, it would become a user that may not read these files.
        *(["user root"] if os.getuid() == 0 else []),
        f"listener {processes.choose_port(home, 'mosquitto', 'mosquitto')} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {own / 'passwords'}",
        "persistence true",
        f"persistence_location {folder(home, 'mosquitto', 'data')}/",
        # By default what waits for one who is away is thrown away behind the first thousand, without a word.
        "max_queued_messages 0",
        "autosave_interval 60",
        "log_dest stderr",
    ]
    settings = write(own / "mosquitto.conf", "\n".join(lines) + "\n")
    processes.start(home, "mosquitto", "mosquitto", [str(shutil.which("mosquitto", path=PATH)), "-c", str(settings)])


def healthy(home: Path) -> bool:
    """Tell whether it lets our user in: MQTT 3.1.1, CONNECT and its answer."""
    fields = b"".join(
        len(text).to_bytes(2, "big") + text for text in (b"health", USER.encode(), secret(home, "mosquitto").encode())
    )
    body = b"\x00\x04MQTT\x04\xc2\x00\x05" + fields
    with socket.create_connection(("127.0.0.1", port(home, "mosquitto")), timeout=5) as line:
        line.sendall(bytes([0x10, len(body)]) + body)
        return line.recv(4) == b"\x20\x02\x00\x00"


def settle(home: Path) -> None:
    """Nothing is left to do."""


def url(home: Path) -> str:
    """Return its address."""
    return f"mqtt://{USER}@{address(home, 'mosquitto')}"


def environment(home: Path) -> dict[str, str]:
    """Return what a client needs."""
    return {"CARBONLAKE_MQTT": url(home), "CARBONLAKE_MQTT_PASSWORD": secret(home, "mosquitto")}

"""A real sshd on a free port of loopback, with keys and a home of its own."""

from __future__ import annotations

import getpass
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

from jobs.apache import free_port

PROGRAM = "/usr/sbin/sshd"
SETTINGS = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile {folder}/pid
AuthorizedKeysFile {folder}/ours.pub
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
Subsystem sftp internal-sftp
"""


@dataclass
class Server:
    """Where it is, what it is known by, our key, and the process."""

    url: str
    host_key: str
    private_key: str
    process: subprocess.Popen[bytes]


@contextmanager
def sshd(folder: Path) -> Iterator[Server]:
    """Run a server until it answers, and end it."""
    assert Path(PROGRAM).exists(), "sshd is needed: apt-get install openssh-server"
    for name in ("host", "ours"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    (folder / "sshd_config").write_text(SETTINGS.format(port=port, folder=folder))
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=(folder / "log").open("wb"))
    try:
        _await(port, process)
        host, ours = (folder / "host.pub").read_text(), (folder / "ours").read_text()
        yield Server(f"sftp://{getpass.getuser()}@127.0.0.1:{port}", host, ours, process)
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "sshd has ended"
        try:
            paramiko.Transport(("127.0.0.1", port)).close()
            return
        except paramiko.SSHException:
            time.sleep(0.05)
    raise AssertionError("sshd does not answer")

"""PostgreSQL: a cluster of our own from the system's programs, with a database for Airflow and one for applications."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import psutil

from carbonlake.stack import processes, versions
from carbonlake.stack.home import address, folder, port, secret
from carbonlake.stack.missing import Missing
from schemas.errors import UserError

NEEDS: tuple[str, ...] = ()
PROCESSES = ("postgres",)
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
# The server refuses to be root; the package made this user for it.
OWNER = "postgres"
# Where the cluster lies if root's home may not be passed through by that user.
ASIDE = Path("/var/lib/carbonlake")
DATABASES = ("airflow", "carbonlake")
SQL = """
select 'create role {0} login' where not exists (select from pg_roles where rolname = '{0}') \\gexec
alter role {0} password '{1}';
select 'create database {0} owner {0}' where not exists (select from pg_database where datname = '{0}') \\gexec
"""
LEFT_SECONDS = 20.0


def _programs() -> Path | None:
    """Return the folder of the newest server that is new enough."""
    found = [(int("".join(filter(str.isdigit, place.parent.name)) or 0), place)
             for places in PLACES for place in Path("/").glob(places.lstrip("/")) if (place / "initdb").exists()]  # fmt: skip
    return max(((number, place) for number, place in found if number >= versions.POSTGRES), default=(0, None))[1]


def prerequisites() -> list[Missing]:
    """Name what is missing: the programs, or the user they run as when we are root."""
    if _programs() is None:
        why = f"Airflow and applications keep their state in PostgreSQL {versions.POSTGRES} or newer"
        return [Missing("PostgreSQL", why, "`apt-get install postgresql`, or https://www.postgresql.org/download/")]
    if os.getuid() == 0 and OWNER not in [user.pw_name for user in pwd.getpwall()]:
        return [Missing(f"the user {OWNER}", "PostgreSQL does not run as root", f"`useradd --system {OWNER}`")]
    return []


def _command(program: str, *words: str) -> list[str]:
    """Return a command of PostgreSQL, as its own user when we are root."""
    owner = ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--init-groups"] if os.getuid() == 0 else []
    found = _programs()
    assert found, "prerequisites are looked at first"
    return [*owner, str(found / program), *words]


def place(home: Path) -> Path:
    """Return the folder of the cluster: in the home, or beside it where its user may not pass through the home."""
    inside = home / "postgres"
    aside = ASIDE / sha256(str(home).encode()).hexdigest()[:12]
    if os.getuid() or inside.exists():
        return inside
    if aside.exists():
        return aside
    passed = subprocess.run(["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--init-groups", "test", "-x", str(home)],
                            check=False)  # fmt: skip
    return inside if passed.returncode == 0 else aside


def prepare(home: Path) -> None:
    """Make the cluster once; one that was not finished is made anew."""
    folder(home)
    where = place(home)
    if (where / "carbonlake-made").exists():
        return
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True, mode=0o700)
    if os.getuid() == 0:
        shutil.chown(where, OWNER, OWNER)
    # By its socket, which is in a folder of its owner alone, the owner comes in without a password; nobody else does.
    command = _command("initdb", "--pgdata", str(where / "data"), "--username", OWNER, "--encoding", "UTF8", "--locale", "C",
                       "--auth-local", "trust", "--auth-host", "scram-sha-256")  # fmt: skip
    processes.run(command, home / "logs" / "postgres-made.log", what="making the database", cwd=Path("/"))
    (where / "carbonlake-made").touch()


def start(home: Path) -> None:
    """Start the server on loopback."""
    where = place(home)
    if not processes.running(home, "postgres"):
        _await_left(where / "data")
    options = {"listen_addresses": "127.0.0.1", "port": str(processes.choose_port(home, "postgres", "postgres")),
               "unix_socket_directories": str(where), "unix_socket_permissions": "0700",
               # So that changes can be captured.
               "wal_level": "logical"}  # fmt: skip
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = _command("postgres", "-D", str(where / "data"), *words)
    # Fast: it does not wait for clients that stay.
    processes.start(home, "postgres", "postgres", command, cwd=Path("/"), ending=signal.SIGINT)


def _await_left(data: Path) -> None:
    """Wait for the children of a server that was killed: they end by themselves, and no other starts before."""
    until = time.monotonic() + LEFT_SECONDS
    while left := [process for process in psutil.process_iter() if _works_in(process, data)]:
        if time.monotonic() > until:
            raise UserError("processes of a PostgreSQL that was killed are still there", where="stack",
                            remedy=f"end them: {', '.join(str(process.pid) for process in left)}")  # fmt: skip
        time.sleep(0.1)


def _works_in(process: psutil.Process, data: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return bool(process.cwd() == str(data))
    return False


def healthy(home: Path) -> bool:
    """Tell whether it takes connections."""
    command = _command("pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port(home, "postgres")))
    return subprocess.run(command, check=False, cwd="/").returncode == 0


def settle(home: Path) -> None:
    """Make the databases, each with an owner of its name, and set the passwords."""
    text = "\\set ON_ERROR_STOP on\n" + "".join(SQL.format(name, secret(home, f"postgres-{name}")) for name in DATABASES)
    command = _command("psql", "--quiet", "--no-psqlrc", "--host", str(place(home)), "--port", str(port(home, "postgres")),
                       "--username", OWNER, "--dbname", "postgres")  # fmt: skip
    # By its input, for a command line can be seen by everybody; nor does the error repeat what was said.
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False, cwd="/")
    if done.returncode:
        raise UserError("the databases can't be made", where="stack", remedy=f"see {processes.log(home, 'postgres')}")


def url(home: Path, name: str = "carbonlake", scheme: str = "postgresql") -> str:
    """Return the address of a database, without password."""
    return f"{scheme}://{name}@{address(home, 'postgres')}/{name}"


def environment(home: Path) -> dict[str, str]:
    """Return the address of the database for applications, password included."""
    return {"CARBONLAKE_DATABASE": with_password(home, "carbonlake")}


def with_password(home: Path, name: str, scheme: str = "postgresql") -> str:
    """Return the address of a database, password included."""
    return url(home, name, scheme).replace("@", f":{secret(home, f'postgres-{name}')}@", 1)

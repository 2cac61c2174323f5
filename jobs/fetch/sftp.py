"""Files on a server of SFTP, whose key is known beforehand: those that nobody writes any more."""

from __future__ import annotations

import base64
import errno
import io
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko

from conf import secrets
from jobs import store
from jobs.fetch import Asked
from jobs.fetch.states import There, fresh
from jobs.land import Arrival
from schemas.ages import age
from schemas.errors import UserError

PORT = 22
SECONDS = 30.0
ATTEMPTS = 3
BLOCK = 1 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # here, not there
KINDS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield each file that is new or another one than before, and that has been left alone long enough."""
    with _opened(asked) as server:
        waiting = fresh(asked, _listed(asked, server))
    still = time.time() - age(asked.how.settled).total_seconds()
    for one in waiting:
        file = asked.folder / "file"
        if one.changed <= still and _got(asked, one, file):
            yield Arrival(file, one.name, {"name": one.name, **one.state}, one.state)


def test(asked: Asked) -> str:
    """List the folder, and say how much is there, without taking it."""
    with _opened(asked) as server:
        return f"{len(fresh(asked, _listed(asked, server)))} files that fit {asked.how.pattern}"


@contextmanager
def _opened(asked: Asked) -> Iterator[paramiko.SFTPClient]:
    """Connect to the server if its key is the one that is known."""
    parts = urlsplit(asked.connection(asked.how.connection))
    where = f"{parts.hostname}:{parts.port or PORT}"
    password = unquote(parts.password or "") or None
    secrets.learn({"password": password or ""}, always=True)
    ours = _private(asked)
    transport = None
    try:
        transport = paramiko.Transport((str(parts.hostname), parts.port or PORT))
        transport.banner_timeout = SECONDS
        known = _host_key(asked)
        # Of the keys that the server has it shall show the one that is known.
        transport.get_security_options().key_types = _algorithms(known)
        transport.connect(hostkey=known, username=unquote(parts.username or ""), password=None if ours else password, pkey=ours)
        client = paramiko.SFTPClient.from_transport(transport)
        assert client
        client.get_channel().settimeout(SECONDS)
        yield client
    except paramiko.AuthenticationException:
        raise UserError("it does not let us in", where=where, remedy="see user, password and private_key") from None
    except paramiko.BadHostKeyException as error:
        raise _other_key(where, error) from None
    except FileNotFoundError:
        raise  # a file's, not the line's
    except (paramiko.SSHException, OSError, EOFError) as error:
        if getattr(error, "errno", None) in NO_ROOM and (told := store.explain(error, asked.folder)):
            raise told from error
        if "host key" in str(error).lower():
            raise _other_key(where, error) from None
        raise UserError(f"the connection broke ({secrets.redact(str(error)) or type(error).__name__})", where=where,
                        remedy="see that the server can be reached, and fetch again") from None  # fmt: skip
    finally:
        if transport:
            transport.close()


def _other_key(where: str, error: Exception) -> UserError:
    return UserError(f"the server shows another key than the known one ({error})", where=where,
                     remedy="ask who runs it whether it has changed, and only then write the new one into the connection of "
                            "`host_key`")  # fmt: skip


def _algorithms(known: paramiko.PKey) -> tuple[str, ...]:
    name = known.get_name()
    return ("rsa-sha2-512", "rsa-sha2-256") if name == "ssh-rsa" else (name,)


def _host_key(asked: Asked) -> paramiko.PKey:
    text = asked.connection(asked.how.host_key).split()
    try:
        return paramiko.PKey.from_type_string(text[0], base64.b64decode(text[1]))
    except (IndexError, ValueError, paramiko.SSHException, paramiko.UnknownKeyType):
        raise UserError("this is no public key of a server", where=f"connection {asked.how.host_key}",
                        remedy="write what `ssh-keyscan` shows behind the name: ssh-ed25519 AAAA…") from None  # fmt: skip


def _private(asked: Asked) -> paramiko.PKey | None:
    if not asked.how.private_key:
        return None
    text = asked.connection(asked.how.private_key)
    secrets.learn({"private key": text}, always=True)
    for kind in KINDS:
        try:
            return kind.from_private_key(io.StringIO(f"{text.strip()}\n"))
        except (paramiko.SSHException, ValueError):
            continue
    raise UserError("this is no private key", where=f"connection {asked.how.private_key}",
                    remedy="give it as ${file:/path}, in OpenSSH's form, without passphrase")  # fmt: skip


def _listed(asked: Asked, server: paramiko.SFTPClient, below: str = "") -> list[There]:
    folder = f"{asked.how.folder.rstrip('/')}/{below}".rstrip("/") or "/"
    try:
        entries = server.listdir_attr(folder)
    except FileNotFoundError:
        raise UserError("there is no such folder", where=folder, remedy="mend source.fetch.folder") from None
    found = []
    for one in entries:
        if stat.S_ISDIR(one.st_mode or 0):
            found += _listed(asked, server, f"{below}{one.filename}/")
        elif stat.S_ISREG(one.st_mode or 0):
            found.append(There(f"{below}{one.filename}", float(one.st_mtime or 0), _state(one)))
    return found


def _state(one: Any) -> dict[str, Any]:
    return {"bytes": one.st_size, "modified": one.st_mtime}


def _got(asked: Asked, one: There, file: Path) -> bool:
    """Save a file, from where it broke off if it did; False where it is written meanwhile, which the next fetch takes."""
    path = f"{asked.how.folder.rstrip('/')}/{one.name}"
    file.unlink(missing_ok=True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _opened(asked) as server, file.open("ab") as target, server.open(path, "rb") as source:
                source.seek(target.tell())
                while block := source.read(BLOCK):
                    target.write(block)
                return _state(server.stat(path)) == one.state and target.tell() == one.state["bytes"]
        except FileNotFoundError:
            return False
        except UserError as error:
            if "the connection broke" not in error.what or attempt == ATTEMPTS:
                raise
    return False

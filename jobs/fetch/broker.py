"""Where a broker is and who we are there, taken from the URL of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from jobs.fetch import Asked
from schemas.errors import UserError


@dataclass(frozen=True)
class Broker:
    """Hosts with their ports, user and password (empty without), whether the line is TLS, and further words of the URL."""

    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str
    tls: bool
    words: dict[str, str]

    @property
    def names(self) -> str:
        """The hosts, as people write them."""
        return ",".join(f"{host}:{port}" for host, port in self.hosts)


def broker(asked: Asked, scheme: str, port: int, tls_port: int, known: tuple[str, ...]) -> Broker:
    """Return the broker of a contract's connection: `scheme`, or `schemes` over TLS; `known` are words it may say."""
    name = asked.how.connection
    url = urlsplit(asked.connection(name))
    where = f"conf: connections.{name}"
    if url.scheme not in (scheme, f"{scheme}s"):
        raise UserError(f"{url.scheme or 'nothing'}:// is no address of this kind of broker", where=where,
                        remedy=f"write {scheme}://user:password@host:port, or {scheme}s:// over TLS")  # fmt: skip
    words = {key: values[-1] for key, values in parse_qs(url.query).items()}
    if unknown := sorted(set(words) - set(known)):
        raise UserError(f"unknown word {unknown[0]!r} in the URL", where=where, remedy=f"known: {', '.join(known)}")
    login, _, places = url.netloc.rpartition("@")
    user, _, password = login.partition(":")
    tls = url.scheme.endswith("s")
    hosts = tuple(_host(place, tls_port if tls else port, where) for place in places.split(","))
    return Broker(hosts, unquote(user), unquote(password), tls, words)


def _host(place: str, port: int, where: str) -> tuple[str, int]:
    host, _, given = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    host, given = (host, given) if host else (given, "")
    if not host or (given and not given.isdigit()):
        raise UserError(f"{place!r} is no host and port", where=where, remedy="write host:port")
    return host.strip("[]"), int(given or port)

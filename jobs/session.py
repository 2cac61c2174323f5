"""The engine: Spark Connect, served by the embedded Sail or by Apache Spark, chosen by a URL in conf/."""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs import patience, s3a
from jobs.apache import LOCAL, served
from jobs.submit import driver
from schemas.errors import UserError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FAREWELL = 10.0  # seconds that an engine which is still starting is waited for at the end
PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.-]*")
# What a session of any server is set to.
OURS = {
    "spark.sql.session.timeZone": "UTC",
    # INT96 dates beyond 2262 are read wrong by delta-rs.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


@dataclass(frozen=True)
class Engine:
    """A session, or one that is just being opened, and the name of what serves it: `sail` (fenced) or `spark`."""

    name: str
    opened: SparkSession | Future[SparkSession]

    @property
    def session(self) -> SparkSession:
        """The session, as soon as it is there."""
        return self.opened.result() if isinstance(self.opened, Future) else self.opened

    def delta(self, path: str, version: int) -> DataFrame:
        """Return a Delta table as of a version."""
        if self.name != "sail":
            return self.session.read.format("delta").option("versionAsOf", str(version)).load(path)
        return self.session.table(_opened(self.session, plain_path(path), version))

    def parquet(self, paths: Sequence[str]) -> DataFrame:
        """Return the rows of Parquet files of one shape."""
        return self.session.read.parquet(*paths)


@cache
def _opened(session: SparkSession, place: str, version: int) -> str:
    """Return the name under which a session of Sail knows a table as of a version.

    Sail would read the table's log anew each time that it analyses a plan which names the place, some ten times a build.
    """
    name = f"carbonlake_{hashlib.sha256(place.encode()).hexdigest()[:16]}_{version}"
    if "://" not in place:
        _view(session, place, version, name)
    else:  # Sail does not ask again where the answer was cut off
        patience.waiting(lambda: _view(session, place, version, name), place, patience.told_by_engine)
    return name


def _view(session: SparkSession, place: str, version: int, name: str) -> None:
    from pyspark.sql.types import StructField, StructType

    reader = session.read.format("delta").option("versionAsOf", str(version))
    # Where two tables comment a column differently, Sail 0.7 can't group their union.
    plain = StructType([StructField(field.name, field.dataType) for field in reader.load(place).schema])
    reader.schema(plain).load(place).createOrReplaceTempView(name)


@cache
def plain_path(path: str) -> str:
    """Return a path that Sail can follow: below a folder with a blank or Chinese in its name it finds no Delta log.

    The file names of a table are plain, so that a link to its folder is enough; it goes when this process ends.
    """
    if "://" in path or PLAIN_PATH.fullmatch(path):
        return path
    folder = Path(tempfile.mkdtemp(prefix="carbonlake-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = folder / "table"
    link.symlink_to(path)
    return str(link)


@contextmanager
def engine(
    url: str, memory: str = "4g", options: Mapping[str, str] | None = None, storage: Mapping[str, str] | None = None,
    *, at_once: bool = True,
) -> Iterator[Engine]:  # fmt: skip
    """Open the engine that `url` names: `sail`, `spark` (local or, as spark://host:port, on a cluster), or `sc://host:port`.

    `submitted` is the driver in which spark-submit has started this very process.

    `memory` bounds the pool of the embedded engine and the heap of a driver that we start, `options` are Spark settings
    for the latter, `storage` the options of a lake on S3 (None for one on a disk), which an engine that runs already has
    of its own. The embedded one starts `at_once`, or else when it is asked for. Raises UserError when it can't be reached.
    """
    # Small look-ups may well be ordered as a whole; the fences judge windows, not this warning.
    warnings.filterwarnings("ignore", message="WARN WindowExpression")
    warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
    _search_once("IPython")
    _remember_lines()
    if url == "sail":
        with s3a.exported(storage or {}), _sail(memory, at_once) as opened:
            yield Engine("sail", opened)
    elif url == "spark" or url.startswith("spark://"):
        master = LOCAL if url == "spark" else url
        with served(memory, options or {}, master, storage) as here, _remote(here) as session:
            yield Engine("spark", session)
    elif url == "submitted":
        with driver(storage, options) as here, _remote(here) as session:
            yield Engine("spark", session)
    elif url.startswith("sc://"):
        with _remote(url) as session:
            yield Engine(_server(session), session)
    else:
        raise UserError(
            f"unknown engine {url!r}", where="conf: engine", remedy="use sail, spark, spark://host:port or sc://host:port"
        )


def _search_once(module: str) -> None:
    """Remember that a module is not installed: PySpark 4 looks for it anew at every call, 0.2 ms each."""
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        sys.modules[module] = None  # type: ignore[assignment]


def _remember_lines() -> None:
    """Let plans carry the lines they come from, which refusals name; PySpark decides at the first call of a process.

    If no session was there then, or the call came from another thread, it would carry none.
    """
    from pyspark.errors import utils

    utils._enable_debugging_cache = True  # type: ignore[assignment]


def tune_sail(memory: str) -> None:
    """Set the embedded engine for this process, whose pool of memory is bounded; what the environment says stands."""
    # An unbounded pool took the whole machine on a 50 M row sort; a fair one spills instead.
    os.environ.setdefault("SAIL_RUNTIME__MEMORY_POOL__TYPE", "fair")
    os.environ.setdefault("SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE", str(_bytes(memory)))
    # Twice the default: 5 % less processor time for a write, the same rows.
    os.environ.setdefault("SAIL_EXECUTION__BATCH_SIZE", "16384")
    # A quarter of the default: 60 MB less while a long table is written, and finer statistics to skip by.
    os.environ.setdefault("SAIL_PARQUET__MAX_ROW_GROUP_SIZE", "262144")
    os.environ.setdefault("RUST_LOG", "error")
    # The session outlives pauses of a person at a prompt.
    os.environ.setdefault("SAIL_SPARK__SESSION_TIMEOUT_SECS", "86400")


class _Later(Future["SparkSession"]):
    """A session that is opened in a thread of its own, when it is told to, or at the latest when somebody asks for it."""

    def __init__(self, open_: Callable[[Future[SparkSession]], None]) -> None:
        super().__init__()
        # A daemon: a process that is told to end does not wait for an engine that is just starting.
        self.thread = threading.Thread(target=open_, args=(self,), name="carbonlake-engine", daemon=True)
        self.lock = threading.Lock()
        self.begun = False

    def begin(self) -> None:
        """Begin to open it, once."""
        with self.lock:
            begun, self.begun = self.begun, True
        if not begun:
            self.thread.start()

    def result(self, timeout: float | None = None) -> SparkSession:
        """Return the session."""
        self.begin()
        return super().result(timeout)


@contextmanager
def _sail(memory: str, at_once: bool) -> Iterator[Future[SparkSession]]:
    """Serve the embedded engine from a thread, for deliveries can be landed and parsed while it starts."""
    tune_sail(memory)
    # Functions of PySpark ask this, not the session, what they are to make; a session sets it only once it is there.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    servers: list[Any] = []
    opened = _Later(lambda future: _serve(future, servers))
    if at_once:
        opened.begin()
    patience = 0.0
    try:
        yield opened
        patience = FAREWELL
    finally:
        with suppress(TimeoutError):
            if opened.begun and opened.exception(patience) is None:
                _quietly(opened.result().stop)
        for server in servers:
            _quietly(server.stop)


def _serve(opened: Future[SparkSession], servers: list[Any]) -> None:
    """Start the server and open a session, which `opened` gets, or the error that says what to do."""
    try:
        opened.set_result(_session_of(servers))
    except Exception as error:
        opened.set_exception(
            UserError(f"the engine does not start: {told(error)}", where="engine sail",
                      remedy="`carbonlake doctor` says what is missing; CARBONLAKE_LOG_LEVEL=debug says more")
        )  # fmt: skip


def _session_of(servers: list[Any]) -> SparkSession:
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    servers.append(server)
    host, port = server.listening_address
    session = _patient(SparkSession.builder.remote(f"sc://{host}:{port}").create())
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


@contextmanager
def _remote(url: str) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    try:
        session = _patient(SparkSession.builder.remote(url).create())
        for key, value in OURS.items():
            session.conf.set(key, value)
    except Exception as error:
        raise UserError(f"the engine can't be reached: {told(error)}", where=f"engine {url.split('/;')[0]}",
                        remedy="`carbonlake doctor` says what is missing; the embedded engine is `sail`") from error  # fmt: skip
    try:
        yield session
    finally:
        _quietly(session.stop)


def _patient(session: SparkSession) -> SparkSession:
    """Let a session give up on a server that is gone within seconds; by default it goes on asking for ten minutes."""
    from pyspark.sql.connect.client.retries import DefaultPolicy

    policy = DefaultPolicy(max_retries=5, initial_backoff=50, backoff_multiplier=3.0, max_backoff=3000)
    session.client.set_retry_policies([policy])
    return session


def _server(session: SparkSession) -> str:
    """Tell what serves a session: both claim a version of Spark, but only Spark answers with it in SQL."""
    row = session.sql("select version()").first()
    return "spark" if row and str(row[0]).startswith(session.version) else "sail"


def _quietly(stop: Any) -> None:
    """Stop without waiting for ever: a call after the server has stopped hangs for 70 s."""
    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    thread.join(timeout=3)


def told(error: Exception) -> str:
    """Return what an error of an engine says, in one line."""
    if details := re.search(r'details = "([^"]*)"', str(error)):
        return details[1]
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _bytes(size: str) -> int:
    units = {"k": 2**10, "m": 2**20, "g": 2**30}
    return int(float(size[:-1]) * units[size[-1].lower()]) if size[-1].lower() in units else int(size)

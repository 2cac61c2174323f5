"""Apache Spark on this machine: a Connect server in a JVM of its own that lives as long as its session."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs import s3a
from schemas.errors import UserError

DELTA = "io.delta:delta-spark_4.2_2.13:4.4.0"
# Delta names these too, in older versions than those that Spark brings along: 73 of 87 MB.
BROUGHT = (
    "org.apache.hadoop:hadoop-client-api", "org.apache.hadoop:hadoop-client-runtime", "org.wildfly.openssl", "org.slf4j",
    "org.apache.parquet", "org.apache.logging.log4j", "org.roaringbitmap", "org.xerial.snappy", "org.locationtech.jts",
    "com.fasterxml.jackson.core", "com.fasterxml.jackson.datatype", "com.github.luben", "com.google.code.findbugs",
    "commons-logging", "commons-pool", "io.airlift", "javax.annotation",
)  # fmt: skip
SETTINGS = {
    "spark.jars.packages": DELTA,
    "spark.jars.excludes": ",".join(one if ":" in one else f"{one}:*" for one in BROUGHT),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # Each look at a version adds up its log, by default in 50 partitions: most of the time of a run (638 s against 95).
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.enabled": "false",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    # The session outlives pauses of a person at a prompt, and a session that was not closed ends with the JVM.
    "spark.connect.session.manager.defaultSessionTimeout": "24h",
    "spark.log.level": "WARN",
}
# Two threads of one machine need no more parts of a join or a sum; a cluster is cut as Spark does, or as it is told.
ALONE = {"spark.sql.shuffle.partitions": "4"}
# The JVM ends when nobody holds the other end of its input any more, so a killed build leaves none behind.
WATCHED = 'exec 3<&0; (cat <&3 >/dev/null; kill $$) & exec "$@" 3<&- </dev/null'
# On a first start the artefacts of Delta are fetched.
PATIENCE = 300.0
FAREWELL = 15.0
JAVA = 17
LOCAL = "local[2]"
WITHOUT = "or use the embedded engine, which needs no Java: sail"


@contextmanager
def served(
    memory: str, options: Mapping[str, str], master: str = LOCAL, storage: Mapping[str, str] | None = None
) -> Iterator[str]:  # fmt: skip
    """Run a Connect server and yield its `sc://` URL; the JVM is gone when the block ends.

    It computes on two threads of its own or on the cluster that `master` names, spark://host:port. `memory` bounds its
    heap, `options` are Spark settings on top; with `storage`, the options of a lake on S3, it reads s3://. Raises
    UserError where Java is missing or the server does not come up.
    """
    _require_java()
    with TemporaryDirectory(prefix="carbonlake-spark-", ignore_cleanup_errors=True) as folder:
        port, token, here = free_port(), str(uuid.uuid4()), _address(master)
        driver = {"spark.driver.memory": memory, "spark.driver.host": here, "spark.driver.bindAddress": here}
        driver |= ALONE if master == LOCAL else {}
        process = _started(Path(folder), port, token, master, {**driver, **settings(storage), **options})
        try:
            _await(process, port, Path(folder) / "log")
            yield f"sc://localhost:{port}/;token={token}"
        finally:
            _end(process)


def settings(storage: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the settings of every Spark of ours; with `storage`, the options of a lake on S3, also of one that reads it."""
    if storage is None:
        return SETTINGS
    return {**SETTINGS, **s3a.settings(storage), "spark.jars.packages": f"{DELTA},{s3a.HADOOP_AWS}"}


def properties(file: Path, settings: Mapping[str, str]) -> Path:
    """Write settings as Spark reads them from a file, which its owner alone may read: a command line is seen by all."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123
        for key, value in settings.items():
            escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
            out.write(f"{key} {escaped}\n")
    return file


def java() -> tuple[str, int | None]:
    """Return the program that starts Java here ('' if there is none) and its version, e.g. 17 (None if it tells none)."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if not program:
        return "", None
    told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False).stderr
    number = re.search(r'version "(?:1\.)?(\d+)', told)
    return program, int(number[1]) if number else None


def _require_java() -> None:
    program, version = java()
    home = os.environ.get("JAVA_HOME")
    if not program:
        found = f"JAVA_HOME is {home}, which has none" if home else "there is none"
        raise UserError(f"Apache Spark needs Java {JAVA} or newer, and {found}", where="engine spark",
                        remedy=f"install a JDK, so that `java` is found or JAVA_HOME names it; {WITHOUT}")  # fmt: skip
    if version is not None and version < JAVA:
        raise UserError(f"Apache Spark needs Java {JAVA} or newer, and {program} is {version}", where="engine spark",
                        remedy=f"let JAVA_HOME name a newer JDK; {WITHOUT}")  # fmt: skip


def _address(master: str) -> str:
    """Return the address under which executors reach this machine: that of the way to the cluster's master."""
    if not master.startswith("spark://"):
        return "127.0.0.1"
    host, _, port = master.removeprefix("spark://").partition(",")[0].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:  # nothing is sent
        try:
            way.connect((host, int(port)))
        except (OSError, ValueError) as error:
            raise UserError(f"there is no way to the cluster: {error}", where=f"engine {master}",
                            remedy=f"write spark://host:port of its master; {WITHOUT}") from None  # fmt: skip
        return str(way.getsockname()[0])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(folder: Path, port: int, token: str, master: str, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    own = {
        "spark.connect.grpc.binding.port": str(port),
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    told = properties(folder / "spark.properties", {**settings, **own})
    command = [str(home / "bin" / "spark-submit"), "--master", master, "--properties-file", str(told), "--load-spark-defaults",
               "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]  # fmt: skip
    env = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        "SPARK_LOCAL_IP": settings["spark.driver.bindAddress"],
    }
    # A session of its own: Ctrl-C at the terminal is for us, and the whole group can be ended.
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(["/bin/sh", "-c", WATCHED, "sh", *command], stdin=subprocess.PIPE, stdout=log,
                                stderr=subprocess.STDOUT, cwd=folder, env=env, start_new_session=True)  # fmt: skip


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    told = _told(log)
    mirror = "Delta's jars come from Maven Central; SPARK_CONF_DIR/spark-defaults.conf may name a mirror: spark.jars.repositories"
    remedy = mirror if "unresolved dependency" in told else "`carbonlake doctor` says what is missing"
    raise UserError(f"Apache Spark did not start: {told}", where="engine spark", remedy=f"{remedy}; {WITHOUT}")


def _told(log: Path) -> str:
    """Return the lines of a log that say what went wrong, the last ones if none does."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if "rror" in line or "xception" in line or "not found" in line]
    return "\n  ".join((wrong or lines or ["it said nothing"])[-3:])


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, FAREWELL), (signal.SIGKILL, FAREWELL)):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
    if process.stdin:
        process.stdin.close()

"""Apache Spark: a standalone master, two workers, and a standing Connect server that computes on them, from PySpark's package."""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from hashlib import sha256
from pathlib import Path

from carbonlake.stack import java, minio, processes
from carbonlake.stack.home import address, folder, port, secret
from carbonlake.stack.missing import Missing
from jobs import apache

NEEDS = ("minio",)
WORKERS = ("spark-worker-1", "spark-worker-2")
PROCESSES = ("spark-master", *WORKERS, "spark-connect")
JAVA = "CARBONLAKE_SPARK_JAVA"
MEMORY = "2g"
# The standing server gives back what it does not use, so that others may compute beside it.
SHARING = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.executor.cores": "1",
    "spark.executor.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
}
CLEANING = "-Dspark.worker.cleanup.enabled=true -Dspark.worker.cleanup.appDataTtl=86400"
DEPLOY = "org.apache.spark.deploy"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"


def prerequisites() -> list[Missing]:
    """Name what is missing: Java alone, for Spark itself is one of our packages."""
    if java.find(apache.JAVA, JAVA):
        return []
    remedy = f"`apt-get install openjdk-{apache.JAVA}-jre-headless`, or let {JAVA} name the folder of one"
    return [Missing(f"Java {apache.JAVA}+", "Apache Spark runs on it", remedy)]


def prepare(home: Path) -> None:
    """Make the folders; the jars of Delta and S3 are fetched by Spark, which keeps them."""
    for name in (*WORKERS, "local", "warehouse"):
        folder(home, "spark", name)


def start(home: Path) -> None:
    """Start the master, then the workers, then the server that computes on them."""
    ours = apache.properties(home / "spark" / "cluster.properties", secured(home))
    at, pages = (processes.choose_port(home, "spark-master", name) for name in ("spark-master", "spark-pages"))
    words = ("--host", "127.0.0.1", "--port", str(at), "--webui-port", str(pages))
    _start(home, "spark-master", _class("master.Master", ours, *words))
    for name in WORKERS:
        cores = max(1, (os.cpu_count() or 2) // len(WORKERS))
        sized = ("--host", "127.0.0.1", "--webui-port", "0", "-c", str(cores), "-m", MEMORY, "-d", str(home / "spark" / name))
        _start(home, name, _class("worker.Worker", ours, *sized, master(home)))
    settings = connect(home, processes.choose_port(home, "spark-connect", "spark-connect"))
    told = apache.properties(home / "spark" / "connect.properties", settings)
    command = [str(_spark() / "bin" / "spark-submit"), "--master", master(home), "--properties-file", str(told),
               "--load-spark-defaults", "--class", CONNECT, "spark-internal"]  # fmt: skip
    # It reads them once: with other ones it is another server.
    _start(home, "spark-connect", command, SETTINGS=sha256(json.dumps(settings).encode()).hexdigest())


def _spark() -> Path:
    import pyspark

    return Path(pyspark.__file__).parent


def _class(name: str, properties: Path, *words: str) -> list[str]:
    return [str(_spark() / "bin" / "spark-class"), f"{DEPLOY}.{name}", "--properties-file", str(properties), *words]


def _start(home: Path, name: str, command: list[str], **more: str) -> None:
    env = {
        **more,
        "SPARK_HOME": str(_spark()),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JAVA_HOME": str(java.find(apache.JAVA, JAVA)),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_WORKER_OPTS": CLEANING,
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": secret(home, "spark-connect"),
    }
    processes.start(home, "spark", name, command, env=env, cwd=home / "spark")


def secured(home: Path) -> dict[str, str]:
    """Return what lets only those compute on the cluster who know its secret: who may submit runs programs as us."""
    return {"spark.authenticate": "true", "spark.authenticate.secret": secret(home, "spark")}


def connect(home: Path, at: int) -> dict[str, str]:
    """Return the settings of the Connect server: ours, those of the lake's storage, and where it works."""
    storage = json.loads(minio.environment(home)["CARBONLAKE_STORAGE_OPTIONS"])
    place = {
        "spark.connect.grpc.binding.port": str(at),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": MEMORY,
        "spark.local.dir": str(home / "spark" / "local"),
        "spark.sql.warehouse.dir": str(home / "spark" / "warehouse"),
    }
    return {**apache.settings(storage), **SHARING, **secured(home), **place}


def master(home: Path) -> str:
    """Return the address of the master."""
    return f"spark://{address(home, 'spark-master')}"


def healthy(home: Path) -> bool:
    """Tell whether the master knows both workers and the Connect server listens."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port(home, 'spark-pages')}/json/", timeout=5) as answer:
        workers = json.load(answer)["aliveworkers"]
    with socket.socket() as probe:
        return workers >= len(WORKERS) and probe.connect_ex(("127.0.0.1", port(home, "spark-connect"))) == 0


def settle(home: Path) -> None:
    """Nothing is left to do."""


def url(home: Path) -> str:
    """Return the address of the Connect server, without its token; by name, for by number its clients ask for TLS."""
    return f"sc://{address(home, 'spark-connect').replace('127.0.0.1', 'localhost')}"


def environment(home: Path) -> dict[str, str]:
    """Return the engine of our commands, and what who submits to the master himself needs."""
    engine = url(home)
    if engine.startswith("sc://localhost:"):  # elsewhere a token asks for TLS; there the containers' own network is the fence
        engine += f"/;token={secret(home, 'spark-connect')}"
    return {
        "CARBONLAKE_ENGINE": engine,
        "CARBONLAKE_SPARK_MASTER": master(home),
        "CARBONLAKE_SPARK_SETTINGS": json.dumps(secured(home)),
    }

"""The entry of our images: makes the keys of a stack once, tells a command where the other parts are, and becomes it."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from carbonlake.stack import airflow, kafka, minio, parts, spark, trino_files
from carbonlake.stack import home as homes
from carbonlake.stack.home import address, secret, secret_file, write
from jobs import apache

PARTS = "CARBONLAKE_PARTS"
# Where docker/compose.yaml lets each of them listen.
ADDRESSES = {
    "minio": "minio:9000", "trino": "trino:8443", "trino-internal": "trino:8080", "postgres": "postgres:5432",
    "spark-master": "spark-master:7077", "spark-worker": "localhost:8081",  # which asks after itself
    "spark-connect": "spark-connect:15002", "airflow-api": "airflow-api:8080",
    "mosquitto": "mosquitto:1883", "kafka": "kafka:9092", "kafka-controller": "kafka:9093",
}  # fmt: skip
# Read by servers that make no use of our code.
SECRETS = ("postgres-admin", "postgres-airflow", "postgres-carbonlake", "trino-shared", "trino-carbonlake", "trino-analyst",
           "airflow", "airflow-sessions", "airflow-tokens", "spark")  # fmt: skip
NODE = "node.environment=carbonlake\nnode.data-dir=/data/trino\nnode.internal-address=trino\n"
# Everywhere in the container, which is where its own network ends.
CONNECT = {"spark.driver.host": "spark-connect", "spark.driver.bindAddress": "0.0.0.0", "spark.local.dir": "/tmp/spark",
           "spark.connect.grpc.binding.address": "0.0.0.0", "spark.sql.warehouse.dir": "/tmp/warehouse"}  # fmt: skip


def main(*words: str) -> None:
    """Make the keys (`keys`), the bucket (`bucket`), look whether a part listens (`listens <part>`), or become a command."""
    home = homes.home(os.environ.get(homes.VARIABLE, "/keys"))
    if words == ("keys",):
        make(home)
    elif words == ("bucket",):
        minio.settle(home)
    elif words[0] == "listens":
        host, _, port = address(home, words[1]).partition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    else:
        # What the container is told stands.
        given = environment(home, os.environ.get(PARTS, ""))
        os.execvpe(words[0], words, {**given, **os.environ})


def environment(home: Path, names: str) -> dict[str, str]:
    """Return what a command needs to use parts, named with commas between."""
    return {key: value for name in names.split(",") if name for key, value in parts.part(name).environment(home).items()}


def make(home: Path) -> None:
    """Make credentials and the files of settings that hold them, those that are not there yet."""
    homes.folder(home)
    write(home / "addresses.json", json.dumps(ADDRESSES))
    for name in SECRETS:
        secret_file(home, name)
    minio.key_file(home)
    airflow.fernet_file(home)
    write(home / "secrets" / "airflow-passwords", json.dumps({"carbonlake": secret(home, "airflow")}))
    trino_files.certify(home)
    etc = home / "trino" / "etc"
    trino_files.write_all(home, etc, {"trino": 8443, "trino-internal": 8080})
    write(etc / "jvm.config", "\n".join(trino_files.JVM) + "\n")
    write(etc / "node.properties", NODE)
    apache.properties(homes.folder(home, "spark") / "cluster.properties", spark.secured(home))
    apache.properties(home / "spark" / "connect.properties", {**spark.connect(home, 15002), **CONNECT})
    kafka.write_settings(home, 9092, 9093, bind="0.0.0.0", data="/var/lib/kafka/data")
    write(homes.folder(home, "mosquitto") / "plain", f"carbonlake:{secret(home, 'mosquitto')}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

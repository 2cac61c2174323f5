"""The driver that `spark-submit` started: Spark Connect served from within it, for that is what transforms are written in."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jobs.apache import DELTA, settings
from jobs.s3a import HADOOP_AWS, S3A
from schemas.errors import UserError

CONNECT = "org.apache.spark.sql.connect.SparkConnectPlugin"
EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
# The launcher alone knows these; a driver that runs already takes them for something else, or not at all.
LAUNCHER = ("spark.jars.packages", "spark.jars.excludes", "spark.ui.enabled")


@contextmanager
def driver(storage: Mapping[str, str] | None = None, options: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start the context of a submitted application and yield the `sc://` URL under which it serves itself alone.

    What spark-submit was told stands; below it lie `options`, settings of Spark, and ours. With `storage`, the options
    of a lake on S3, it reads s3://; they never see a command line. Raise UserError where there is no driver, or where
    it lacks the jars.
    """
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        raise UserError("nobody submitted this application", where="spark-submit",
                        remedy="start it with `spark-submit`; without one, `--engine spark://host:port` is enough")  # fmt: skip
    from pyspark import SparkConf, SparkContext

    conf, token = SparkConf(), str(uuid.uuid4())
    for key, value in {**settings(storage), **(options or {})}.items():
        if key not in LAUNCHER:
            conf.setIfMissing(key, value)
    plugins = [name for name in (conf.get("spark.plugins", "") or "").split(",") if name not in ("", CONNECT)]
    conf.set("spark.plugins", ",".join([*plugins, CONNECT])).set("spark.connect.authenticate.token", token)
    conf.set("spark.connect.grpc.binding.address", "127.0.0.1").set("spark.connect.grpc.binding.port", "0")
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)  # who submitted may have spoken Connect; the driver is the server
    context = SparkContext(conf=conf)
    os.environ.pop("MASTER", None)  # PySpark opens no remote session beside it
    try:
        _require(context, EXTENSION, DELTA)
        if storage is not None:
            _require(context, S3A, HADOOP_AWS)
        yield f"sc://localhost:{_port(context)}/;token={token}"
    finally:
        context.stop()


def _port(context: Any) -> int:
    """Return the port that the plugin found free."""
    service = getattr(context._jvm.org.apache.spark.sql.connect.service, "SparkConnectService$")
    return int(getattr(service, "MODULE$").localPort())


def _require(context: Any, name: str, artefact: str) -> None:
    """Raise UserError where a class is not there; Spark itself would say so late, and of something else."""
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

    loader = context._jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        context._jvm.java.lang.Class.forName(name, False, loader)
    except Py4JJavaError:
        raise UserError(f"the driver has no {artefact.split(':')[1]}", where="spark-submit",
                        remedy=f"add --packages {artefact}, or put the jar into the image") from None  # fmt: skip

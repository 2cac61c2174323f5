"""A standalone cluster of Apache Spark on this machine: a master and workers, each in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

from jobs.apache import free_port

HOME = Path(pyspark.__file__).parent
PATIENCE = 120.0


class Cluster:
    """A master and workers of some cores and memory each, with their logs in a folder."""

    def __init__(self, folder: Path, workers: int = 2, cores: int = 1, memory: str = "1g") -> None:
        self.folder, self.cores, self.memory, port = folder, cores, memory, free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.master = self._start("master", "master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        self._await(self.master, "master", "I have been elected leader")
        for _ in range(workers):
            self.worker()

    def worker(self) -> subprocess.Popen[bytes]:
        """Start one more worker and wait until the master knows it."""
        name = f"worker-{len(self.workers)}"
        work = ("--host", "127.0.0.1", "--webui-port", "0", "-c", str(self.cores), "-m", self.memory)
        self.workers.append(self._start(name, "worker.Worker", *work, "-d", str(self.folder / name), self.url))
        self._await(self.workers[-1], name, "Successfully registered with master")
        return self.workers[-1]

    def kill(self, number: int) -> None:
        """Kill a worker with its executors, as a machine that loses its power does."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)
        self.workers[number].wait()

    def executors(self) -> int:
        """Return how many executors the master has started so far."""
        return len(re.findall(r"Launching executor", self.log("master")))

    def log(self, name: str) -> str:
        """Return what the master or a worker has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """End every process, executors included."""
        for process in (*self.workers, self.master):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, name: str, kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = [str(HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *words]
        given = {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "512m"}
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                    env=os.environ | given)  # fmt: skip

    def _await(self, process: subprocess.Popen[bytes], name: str, sign: str) -> None:
        until = time.monotonic() + PATIENCE
        while sign not in self.log(name):
            if process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{name} did not start:\n{self.log(name)[-2000:]}")
            time.sleep(0.2)


@contextmanager
def cluster(folder: Path, workers: int = 2, cores: int = 1, memory: str = "1g") -> Iterator[Cluster]:
    """Give a cluster that is gone at the end."""
    found = Cluster(folder, workers, cores, memory)
    try:
        yield found
    finally:
        found.stop()

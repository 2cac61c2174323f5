"""Kafka: a log of messages, one process that is broker and controller, from its published jars."""

from __future__ import annotations

import socket
import struct
from base64 import urlsafe_b64encode
from pathlib import Path
from uuid import uuid4

from carbonlake.stack import java, maven, processes, versions
from carbonlake.stack.home import address, being_made, cache, folder, port, secret, write
from carbonlake.stack.missing import Missing

NEEDS: tuple[str, ...] = ()
PROCESSES = ("kafka",)
JAVA, JAVA_VERSION = "CARBONLAKE_KAFKA_JAVA", 17
USER = "carbonlake"
# The second lets it say in its log what it does; without it, it is mute.
ARTEFACTS = (
    f"org.apache.kafka:kafka_{versions.SCALA}:{versions.KAFKA}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{versions.LOG4J}",
)
LOGGING = """appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c{1})%n
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
"""
MEMORY = "-Xmx512m"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


def program() -> Path:
    """Return the folder of the jars, or where it will be."""
    return cache() / f"kafka-{versions.KAFKA}"


def prerequisites() -> list[Missing]:
    """Name what is missing to run it, and to fetch it if it is not here yet."""
    lacking = [] if program().exists() else maven.prerequisites("Kafka")
    if java.find(JAVA_VERSION, JAVA):
        return lacking
    remedy = f"`apt-get install openjdk-{JAVA_VERSION}-jre-headless`, or let {JAVA} name the folder of one"
    return [*lacking, Missing(f"Java {JAVA_VERSION}+", f"Kafka {versions.KAFKA} runs on it", remedy)]


def prepare(home: Path) -> None:
    """Fetch the jars once."""
    with being_made(program()) as new:
        if new:
            maven.copy_all(ARTEFACTS, new / "lib", home / "logs" / "kafka-fetch.log")


def start(home: Path) -> None:
    """Format the folder of its data once, and start it on loopback; who has no password is not let in."""
    own = folder(home, "kafka")
    write(own / "log4j2.properties", LOGGING)
    client, controller = (processes.choose_port(home, "kafka", name) for name in ("kafka", "kafka-controller"))
    settings = write_settings(home, client, controller)
    if not (own / "data" / "meta.properties").exists():
        words = ("format", "--cluster-id", (own / "cluster-id").read_text(), "--config", str(settings), "--ignore-formatted")
        processes.run(
            _command(home, "kafka.tools.StorageTool", *words), home / "logs" / "kafka-made.log", what="formatting Kafka"
        )
    processes.start(home, "kafka", "kafka", _command(home, "kafka.Kafka", str(settings)), cwd=own)


def _command(home: Path, name: str, *words: str) -> list[str]:
    logging = home / "kafka" / "log4j2.properties"
    return [str(java.find(JAVA_VERSION, JAVA)) + "/bin/java", MEMORY, f"-Dlog4j2.configurationFile={logging}",
            "-cp", f"{program() / 'lib'}/*", name, *words]  # fmt: skip


def write_settings(home: Path, client: int, controller: int, bind: str = "127.0.0.1", data: str = "") -> Path:
    """Write the settings, and the name of the cluster at the first call; they hold the password, for their owner alone."""
    own = folder(home, "kafka")
    if not (own / "cluster-id").exists():
        # "A" in front: one that begins with a dash would be taken for an option.
        write(own / "cluster-id", "A" + urlsafe_b64encode(uuid4().bytes).decode()[1:22])
    listeners = {"listeners": f"CLIENT://{bind}:{client},CONTROLLER://{bind}:{controller}", "log.dirs": data or str(own / "data")}
    values = {**_settings(home), **listeners}
    return write(own / "server.properties", "".join(f"{key}={value}\n" for key, value in values.items()))


def _settings(home: Path) -> dict[str, str]:
    word = secret(home, "kafka")
    login = (f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{USER}" password="{word}" '
             f'user_{USER}="{word}";')  # fmt: skip
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{address(home, 'kafka-controller')}",
        "advertised.listeners": f"CLIENT://{address(home, 'kafka')}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        # Users of SCRAM are made at the broker by those who use it.
        "listener.name.client.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": login,
        "listener.name.client.scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
        "listener.name.controller.plain.sasl.jaas.config": login,
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }


def healthy(home: Path) -> bool:
    """Tell whether it answers what it can do: ApiVersions, which every client asks before it says who it is."""
    asked = struct.pack(">hhih", 18, 0, 1, -1)
    with socket.create_connection(("127.0.0.1", port(home, "kafka")), timeout=5) as line:
        line.sendall(struct.pack(">i", len(asked)) + asked)
        answer = line.recv(10)
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (1, 0)


def settle(home: Path) -> None:
    """Nothing is left to do: topics are made by those who use them."""


def url(home: Path) -> str:
    """Return its address."""
    return address(home, "kafka")


def environment(home: Path) -> dict[str, str]:
    """Return what a client needs: SASL PLAIN on loopback."""
    return {"CARBONLAKE_KAFKA": url(home), "CARBONLAKE_KAFKA_USER": USER, "CARBONLAKE_KAFKA_PASSWORD": secret(home, "kafka")}

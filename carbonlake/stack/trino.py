"""Trino: SQL for analysts over the lake's tables, one process that is coordinator and worker."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path

from carbonlake.stack import java, maven, processes, trino_files, versions
from carbonlake.stack.home import address, being_made, cache, folder, secret
from carbonlake.stack.missing import Missing
from carbonlake.stack.trino_files import CATALOG, USER

NEEDS = ("minio",)
PROCESSES = ("trino",)
JAVA = "CARBONLAKE_TRINO_JAVA"
PLUGINS = ("delta-lake", "jmx", "memory", "tpch", "password-authenticators", "resource-group-managers", "opa", "postgresql",
           "session-property-managers", "exchange-filesystem", "openlineage")  # fmt: skip


def program() -> Path:
    """Return the folder of the program, or where it will be."""
    return cache() / f"trino-{versions.TRINO}"


def prerequisites() -> list[Missing]:
    """Name what is missing to run it, and to fetch it if it is not here yet."""
    lacking = [] if program().exists() else maven.prerequisites("Trino")
    if java.find(versions.TRINO_JAVA, JAVA):
        return lacking
    remedy = f"install a JDK, e.g. `apt-get install temurin-25-jdk` (https://adoptium.net), and let {JAVA} name its folder"
    return [*lacking, Missing(f"Java {versions.TRINO_JAVA}+", f"Trino {versions.TRINO} runs on it", remedy)]


def prepare(home: Path) -> None:
    """Fetch and unpack the program once, the plugins we use alone; make the certificate."""
    with being_made(program()) as new:
        if new:
            maven.copy(f"io.trino:trino-server:{versions.TRINO}:tar.gz", new / "archive", home / "logs" / "trino-fetch.log")
            (archive,) = (new / "archive").iterdir()
            # Whole, for plugins hold hard links into each other; then only some of them stay.
            processes.run(["tar", "--extract", "--strip-components=1", "--file", str(archive), "--directory", str(new)],
                          home / "logs" / "trino-fetch.log", what="unpacking Trino")  # fmt: skip
            for left in [new / "archive", *(one for one in (new / "plugin").iterdir() if one.name not in PLUGINS)]:
                shutil.rmtree(left)
    trino_files.certify(home)


def _java() -> Path:
    found = java.find(versions.TRINO_JAVA, JAVA)
    assert found, "prerequisites are looked at first"
    return found


def start(home: Path) -> None:
    """Start the server; what is secret in its settings comes by its environment, which nobody else can read."""
    own = folder(home, "trino")
    ports = {name: processes.choose_port(home, "trino", name) for name in ("trino", "trino-internal")}
    env = {
        # It reads them once: with other ones it is another server.
        "SETTINGS": trino_files.write_all(home, own / "etc", ports),
        "TRINO_KEYSTORE": secret(home, "trino-keystore"),
        "TRINO_SHARED": secret(home, "trino-shared"),
        "S3_ACCESS_KEY": secret(home, "minio-user"),
        "S3_SECRET_KEY": secret(home, "minio"),
    }
    # In the parent of etc/: some files are looked up relative to the working directory.
    command = [str(_java() / "bin" / "java"), *trino_files.JVM, f"-Dnode.data-dir={folder(home, 'trino', 'data')}",
               "-Dnode.environment=carbonlake", "-Dnode.bind-ip=127.0.0.1", "-Dnode.internal-address=127.0.0.1",
               f"-Dplugin.dir={program() / 'plugin'}", "-Dconfig=etc/config.properties", "-Dlog.levels-file=etc/log.properties",
               "-cp", f"{program() / 'lib'}/*", "io.trino.server.TrinoServer"]  # fmt: skip
    processes.start(home, "trino", "trino", command, env=env, cwd=own)


def healthy(home: Path) -> bool:
    """Tell whether it has started and takes queries."""
    with urllib.request.urlopen(f"http://{address(home, 'trino-internal')}/v1/info", timeout=5) as answer:
        return not json.load(answer)["starting"]


def settle(home: Path) -> None:
    """Nothing is left to do: schemas and tables come by `carbonlake publish`."""


def url(home: Path) -> str:
    """Return its address."""
    return f"https://{address(home, 'trino')}"


def environment(home: Path) -> dict[str, str]:
    """Return what our commands need to publish tables there and to ask it."""
    return {
        "CARBONLAKE_TRINO": f"https://{USER}@{address(home, 'trino')}/{CATALOG}",
        "CARBONLAKE_TRINO_PASSWORD": secret(home, f"trino-{USER}"),
        "CARBONLAKE_TRINO_CA": str(home / "trino" / "ca.pem"),
        # Who may see what: a file that is read anew as soon as it is replaced.
        "CARBONLAKE_TRINO_RULES": str(home / "trino" / "etc" / trino_files.RULES),
    }

"""Maven, which fetches what is published for Java: it keeps, checks and resumes by itself, from the user's own mirrors."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from carbonlake.stack import processes
from carbonlake.stack.missing import Missing

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
POM = """<project>
  <modelVersion>4.0.0</modelVersion><groupId>carbonlake</groupId><artifactId>stack</artifactId><version>1</version>
  <dependencies>{0}</dependencies>
</project>
"""
DEPENDENCY = "<dependency><groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version></dependency>"


def prerequisites(what: str) -> list[Missing]:
    """Name Maven if it is not there."""
    if shutil.which("mvn"):
        return []
    return [Missing("Maven", f"{what} comes by it", "`apt-get install maven`, or the archive of the Apache Maven project")]


def copy(artifact: str, folder: Path, log: Path) -> None:
    """Fetch one file, group:artifact:version:packaging, into a folder."""
    command = ["mvn", "--batch-mode", f"{PLUGIN}:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    processes.run(command, log, what=f"fetching {artifact}")


def copy_all(artifacts: Sequence[str], folder: Path, log: Path) -> None:
    """Fetch jars, each group:artifact:version, and all that they depend on into a folder."""
    folder.mkdir(exist_ok=True)
    pom = folder.parent / "pom.xml"
    pom.write_text(POM.format("".join(DEPENDENCY.format(*one.split(":")) for one in artifacts)), encoding="utf-8")
    command = ["mvn", "--batch-mode", "--file", str(pom), f"{PLUGIN}:copy-dependencies", f"-DoutputDirectory={folder}",
               "-DincludeScope=runtime"]  # fmt: skip
    processes.run(command, log, what=f"fetching {artifacts[0]}")

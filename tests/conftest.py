"""What tests share: the folder of reference data, one session of the embedded engine and one of Apache Spark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.rooms import SHIPPED
from tests import documents


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data beside the repository; only tests may read it."""
    return SHIPPED.parent / "shared"


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """Return a session of the embedded engine, one for all tests."""
    from jobs.session import engine

    with engine("sail", memory="1g") as opened:
        yield opened.session


@pytest.fixture(scope="session")
def reference() -> Iterator[Any]:
    """Return Apache Spark as an engine, one for all tests; its compiler is the quick one, for plans that run once."""
    from jobs.session import engine

    # With that compiler alone the JVM has 48 MB for code, which the plans of the demo fill; then every call fails.
    java = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"
    with engine("spark", memory="3g", options={"spark.driver.extraJavaOptions": java}) as opened:
        yield opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the demo once for all tests, as a newcomer does; return its lake, not to be changed, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    done = documents.run(["carbonlake", "demo"], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "lake", done.stdout


@pytest.fixture(scope="session")
def demo_lake(demo: tuple[Path, str]) -> Path:
    """Return the lake of the demo; a test that changes it copies the folder first."""
    return demo[0]


@pytest.fixture(scope="session")
def demo_output(demo: tuple[Path, str]) -> str:
    """Return what the demo printed."""
    return demo[1]

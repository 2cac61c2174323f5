"""What tests share: the folder of reference data, one session of the embedded engine and one of Apache Spark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.rooms import SHIPPED


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

    with engine("spark", memory="2g", options={"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}) as opened:
        yield opened

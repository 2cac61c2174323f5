"""What tests of jobs share: an empty lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a new lake, in a folder whose name has a blank and Chinese in it."""
    return Lake(tmp_path / "lake 湖").init()

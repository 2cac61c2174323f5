"""The command line as an application of Apache Spark: `spark-submit … carbonlake/submit.py run +business.emission`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run a command of `carbonlake` on the cluster that the application was submitted to; exit codes are the same."""
    # What is run as a file finds its neighbours under their bare names, which are not theirs.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    os.environ["CARBONLAKE_ENGINE"] = "submitted"
    from carbonlake.cli import main as command

    command()


if __name__ == "__main__":
    main()

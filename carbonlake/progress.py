"""How it goes with a stream, in one line that is kept up to date, or said now and then where nobody watches."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from rich.live import Live
from rich.text import Text

from carbonlake.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.land import Receipt
    from jobs.outcome import Outcome

SPAN = 10.0  # seconds that a pace is told of, and between two lines where nobody watches


class Progress:
    """One line that says how it goes: what came, the pace, what waits, how long the last build took."""

    def __init__(self, world: World) -> None:
        self.world, self.messages, self.deliveries, self.rows, self.builds = world, 0, 0, 0, 0
        self.behind: dict[str, int] = {}
        self.seconds = 0.0
        self._pace: deque[tuple[float, int]] = deque()
        self._watched = world.console.is_terminal and not world.as_json
        self._live = Live(console=world.console, transient=True, auto_refresh=False)
        self._said = time.monotonic()

    def __enter__(self) -> Progress:
        if self._watched:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._watched:
            self._live.stop()
        if not self.world.as_json:
            self.world.console.print(self.line())

    def landed(self, receipt: Receipt) -> None:
        """Count a delivery."""
        said = json.loads(receipt.declared)
        self.messages, self.deliveries = self.messages + said["rows"], self.deliveries + 1
        if "behind" in said:
            self.behind[receipt.source] = said["behind"]
        self._pace.append((time.monotonic(), said["rows"]))
        self._show()

    def built(self, outcomes: Sequence[Outcome]) -> None:
        """Count a build."""
        done = [one for one in outcomes if one.status == "built"]
        self.builds += bool(done)
        self.rows += sum(one.counts.written for one in done)
        self.seconds = max([one.seconds for one in done], default=self.seconds)
        self._show()

    def tell(self, text: str) -> None:
        """Say what a person should know."""
        self.world.aside.print(Text(text, style="yellow"), soft_wrap=True)

    def line(self) -> str:
        """Return how it goes."""
        now = time.monotonic()
        while self._pace and self._pace[0][0] < now - SPAN:
            self._pace.popleft()
        pace = sum(rows for _, rows in self._pace) / SPAN
        waits = f", {sum(self.behind.values()):,} wait at the broker" if self.behind else ""
        return (f"{self.messages:,} messages in {self.deliveries:,} deliveries, {pace:,.0f}/s{waits}; "
                f"{self.rows:,} rows in {self.builds:,} builds, the last in {self.seconds:.1f} s")  # fmt: skip

    def totals(self) -> dict[str, Any]:
        """Return how it went, for machines."""
        return {"messages": self.messages, "deliveries": self.deliveries, "rows_written": self.rows, "builds": self.builds}

    def _show(self) -> None:
        if self._watched:
            self._live.update(Text(self.line()), refresh=True)
        elif not self.world.as_json and time.monotonic() - self._said > SPAN:
            self._said = time.monotonic()
            self.world.console.print(self.line())

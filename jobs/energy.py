"""What a build costs in energy and CO2: an estimate from processor time and memory, its assumptions named.

Energy = processor time × watts of a core at full load + resident memory × time × watts of a GB: the operational part of
the Software Carbon Intensity of the Green Software Foundation (ISO/IEC 21031), with the averages for servers of Cloud
Carbon Footprint (3.5 W for a virtual core at full load, 0.392 W for a GB). Left out: idle power, disks, network,
cooling, and what it took to make the machine.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import psutil

from jobs.lake import Lake
from jobs.relation import read_rows

LOG = logging.getLogger(__name__)
WHOLE, CLIENT = "whole", "client"
JOULES_PER_KWH = 3.6e6
GB = 1e9
# Looking for children reads all of /proc: some milliseconds. Those that matter, engines, live long.
LOOK_EVERY = 5.0
AVERAGE, EMISSION_FACTOR, PER_MWH = "grid_average", "ef", "tCO2/MWh"


@dataclass(frozen=True)
class Assumptions:
    """What an estimate rests on: watts, the grid's region or its kg of CO2 for each kWh, and whether the engine is seen.

    `scope` is `whole`, or `client` where the engine runs elsewhere and its processor time is not known here.
    """

    watts_per_core: float = 3.5
    watts_per_gb: float = 0.392
    region: str = ""
    kgco2_per_kwh: float | None = None
    scope: str = WHOLE


@dataclass(frozen=True)
class Use:
    """What a build took: seconds of processor time, resident memory times time in GB·s, and energy in kWh."""

    cpu_seconds: float
    gb_seconds: float
    kwh: float
    scope: str


@dataclass
class Meter:
    """Processor time and memory of this process and its children, shared out among the builds at work at each moment."""

    assumed: Assumptions = field(default_factory=Assumptions)
    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: dict[str, list[float]] = field(default_factory=dict)
    children: list[psutil.Process] = field(default_factory=list)
    looked: float = float("-inf")
    last: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def start(self, build: str) -> None:
        """Count what is spent from now on for a build, too."""
        with self.lock:
            self._share()
            self.taken[build] = [0.0, 0.0]

    def stop(self, build: str) -> Use:
        """Return what a build took since it started."""
        with self.lock:
            self._share()
            cpu, memory = self.taken.pop(build)
        joules = cpu * self.assumed.watts_per_core + memory * self.assumed.watts_per_gb
        return Use(cpu, memory, joules / JOULES_PER_KWH, self.assumed.scope)

    def _share(self) -> None:
        """Give what was spent since the last look to those at work, in equal parts: threads of one engine serve all."""
        moment, cpu, gigabytes = self._look()
        before, spent, held = self.last
        self.last = (moment, cpu, gigabytes)
        for one in self.taken.values():
            one[0] += max(cpu - spent, 0.0) / len(self.taken)
            one[1] += (gigabytes + held) / 2 * (moment - before) / len(self.taken)

    def _look(self) -> tuple[float, float, float]:
        """Return the instant, processor seconds spent so far, and resident GB: our own, of children gone and there."""
        moment, me = time.monotonic(), psutil.Process()
        if moment - self.looked > LOOK_EVERY:
            self.children, self.looked = me.children(recursive=True), moment
        cpu = sum(getrusage(who).ru_utime + getrusage(who).ru_stime for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
        size = me.memory_info().rss
        for child in self.children:
            try:
                spent, held = sum(child.cpu_times()[:4]), child.memory_info().rss
            except psutil.Error:  # it has ended: its time is in ours, of children that were waited for
                continue
            cpu, size = cpu + spent, size + held
        return moment, cpu, size / GB


def intensity(lake: Lake, assumed: Assumptions) -> float | None:
    """Return kg of CO2 for each kWh: as assumed, or the newest average factor of the region in our own library.

    None where the library knows none, or is not built yet.
    """
    if assumed.kgco2_per_kwh is not None or not assumed.region:
        return assumed.kgco2_per_kwh
    head = lake.open("knowledge.factor")
    if head is None:
        return None
    region = assumed.region.replace("'", "''")
    rows = read_rows(
        head, f"factor_set = '{AVERAGE}' and role = '{EMISSION_FACTOR}' and unit = '{PER_MWH}' and region_code = '{region}'"
    ).to_pylist()
    # t/MWh and kg/kWh are the same number.
    newest = max(rows, key=lambda row: str(row["valid_from"]), default=None)
    return float(newest["value"]) if newest else None


def known_intensity(lake: Lake, assumed: Assumptions) -> float | None:
    """Return the intensity, or None with a line in the log where it cannot be read: no run fails for an estimate."""
    try:
        return intensity(lake, assumed)
    except Exception as error:
        LOG.warning("the CO2 of this run is not known: the factor library cannot be read: %s", error)
        return None

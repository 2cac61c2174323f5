"""What is measured on the demo's own figures: how long it takes, and what it costs to trace one of them."""

from __future__ import annotations

from statistics import median

from benchmarks.against_others import fresh
from benchmarks.result import Result, Row, Setting, as_json, seconds
from benchmarks.side import command, python

# The demo must show these; a run that does not is no run.
HEADLINES = ("10,583.4", "1,718.7", "21,703")
FIGURE = ("business.emission_year", "subject_id=building:1", "year=2017")


def demo(setting: Setting) -> Result:
    """Measure the demo after installation, in a fresh lake."""
    runs = []
    for _ in range(setting.repeats):
        runs.append(command("--lake", fresh(setting, "demo"), "demo"))
        missing = [headline for headline in HEADLINES if headline not in runs[-1].out]
        if missing:
            raise RuntimeError(f"the demo does not show {', '.join(missing)}:\n{runs[-1].out[-3000:]}")
    row = Row("the demo after installation", "–", seconds(runs), 30, 60, "s")
    return Result("demo", (row,), f"shows {', '.join(HEADLINES)}", as_json(ours=runs))


def trace(setting: Setting) -> Result:
    """Measure the trace of a figure down to its cells against one query of its table for the same row.

    Twice: as commands that a person types, and as calls in a warm process, where a query of so small a table takes
    next to nothing.
    """
    lake = fresh(setting, "demo")
    command("--lake", lake, "demo")
    table, *key = FIGURE
    query = f"from {table} where " + " and ".join("{}='{}'".format(*pair.split("=")) for pair in key)
    traced, asked, runs = [], [], []
    for _ in range(setting.repeats):
        traced.append(command("--lake", lake, "trace", *FIGURE))
        asked.append(command("--lake", lake, "sql", query))
        runs.append(python("benchmarks.ours", "trace", lake, *FIGURE, project=""))
    hops = runs[0].says["hops"]
    if any(run.says["rows"] < 1 or run.says["hops"] != hops for run in runs):
        raise RuntimeError(f"the query and the trace do not speak of the same figure: {[run.says for run in runs]}")
    warm = median(median(run.says["traces"]) / median(run.says["queries"]) for run in runs)
    rows = (
        Row(f"`carbonlake trace` of a figure over {hops} hops", "`carbonlake sql` for its row", seconds(traced) / seconds(asked),
            hops, hops + 2, note="whole commands"),
        Row("the same in a warm process", "one query of its table, 218 rows, on the same engine", warm, hops, hops + 2,
            note="every hop is read and held to the figure"),
    )  # fmt: skip
    return Result("trace", rows, "the rows of every hop are held to the figure", as_json(traced=traced, asked=asked, ours=runs))

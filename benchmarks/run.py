"""`python -m benchmarks.run`: every comparison, both sides in turn, results equal before times count."""

from __future__ import annotations

import sys

from benchmarks import against_itself, against_others, of_accounting, of_science, of_texts, of_the_demo, report, workbook
from benchmarks.cases import asked, measured
from benchmarks.result import Result, Setting

CASES = {
    "meter20m_duckdb": against_others.meter20m_duckdb,
    "meter20m_spark": against_others.meter20m_spark,
    "overhead": against_others.overhead,
    "rules12": against_others.rules12,
    "redelivery": against_itself.redelivery,
    "one_of_thousand": against_itself.one_of_thousand,
    "small_files": against_itself.small_files,
    "scaling": against_itself.scaling,
    "rounds40": against_itself.rounds40,
    "excel": workbook.excel,
    "csv_gbk": of_texts.csv_gbk,
    "file_memory": of_texts.file_memory,
    "accounting": of_accounting.accounting,
    "rollups": of_accounting.rollups,
    "restate": of_accounting.restate,
    "trace": of_the_demo.trace,
    "demo": of_the_demo.demo,
    "netcdf_xarray": of_science.netcdf_xarray,
    "grid_memory": of_science.grid_memory,
}


def main() -> int:
    """Run the cases that were asked for and write the table; 1 where one missed what it must at least reach."""
    parser = asked("benchmarks.run", __doc__ or "", CASES)
    parser.add_argument("--publish", action="store_true", help="write the table and the picture also at a smaller scale")
    given = parser.parse_args()

    def keep(result: Result, setting: Setting) -> None:
        if setting.scale == 1 or given.publish:
            report.save(result, setting)
            report.publish()

    return measured(given, CASES, CASES.__getitem__, keep)


if __name__ == "__main__":
    sys.exit(main())

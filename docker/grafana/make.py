"""The Grafana dashboard as code: `python docker/grafana/make.py` writes dashboards/carbonlake.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("dashboards") / "carbonlake.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
HERE = '{job=~"$job"}'
GREEN, YELLOW, RED = "green", "orange", "red"


def dashboard() -> dict[str, Any]:
    """Return the dashboard: what needs somebody first, then freshness, sources, work, sizes, quality, upkeep and energy."""
    return {
        "uid": "carbonlake", "title": "Carbonlake 湖仓", "tags": ["carbonlake"], "schemaVersion": 41, "editable": True,
        "timezone": "utc", "refresh": "1m", "time": {"from": "now-7d", "to": "now"}, "graphTooltip": 1,
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
            {"name": "job", "type": "query", "datasource": SOURCE, "query": "label_values(carbonlake_info, job)",
             "refresh": 2, "includeAll": True, "multi": True, "current": {"text": "All", "value": "$__all"}},
        ]},
        "panels": _placed([_now(), _fresh_and_due(), _sources(), _work(), _sizes(), _quality(), _upkeep()]),
    }  # fmt: skip


def _now() -> list[dict[str, Any]]:
    states = 'sum(carbonlake_tables{job=~"$job", state="%s"})'
    return [
        _stat("Up to date 最新", states % "up_to_date", [(None, GREEN)]),
        _stat("Waiting 待构建", states % "waiting", [(None, GREEN), (1, YELLOW)]),
        _stat("Failed 失败", states % "failed", [(None, GREEN), (1, RED)]),
        _stat("Stale 过期", states % "stale", [(None, GREEN), (1, RED)]),
        _stat("Rows in quarantine 隔离行数", f"sum(carbonlake_quarantine_rows{HERE})", [(None, GREEN), (1, YELLOW)]),
        _stat("Deliveries unclaimed 无主交付物", 'sum(carbonlake_deliveries{job=~"$job", status="unclaimed"})',
              [(None, GREEN), (1, YELLOW)]),
        _stat("Since maintenance 距上次维护", f"time() - max(carbonlake_maintenance_timestamp_seconds{HERE})",
              [(None, GREEN), (172800, YELLOW)], unit="s"),
        _stat("Room left 剩余空间", f"min(carbonlake_free_bytes{HERE})", [(None, RED), (5e9, GREEN)], unit="bytes"),
    ]  # fmt: skip


def _fresh_and_due() -> list[dict[str, Any]]:
    return [
        _bars("Age against its limit 时效（占上限）",
              f"carbonlake_freshness_age_seconds{HERE} / carbonlake_freshness_limit_seconds{HERE}"),
        _list("What the next run builds, and what failed 待办", {
            "due": f"carbonlake_table_due{HERE} == 1", "failed": f"carbonlake_last_build_failed{HERE} == 1"}),
    ]  # fmt: skip


def _sources() -> list[dict[str, Any]]:
    late, age = f"carbonlake_source_late_seconds{HERE} > 0", f"carbonlake_source_age_seconds{HERE}"
    return [
        _list("Sources that somebody should look at 异常来源", {
            "wrong": f"carbonlake_source_wrong{HERE} == 1", "late": late, "differs": f"carbonlake_source_differences{HERE} > 0"}),
        _lines("Age of the newest delivery 最近交付时龄", age, unit="s"),
        _lines("Rows of the newest delivery 最近交付行数", f"carbonlake_source_rows{HERE}"),
        _lines("Bytes of the newest delivery 最近交付字节", f"carbonlake_source_bytes{HERE}", unit="bytes"),
        _lines("Volume against its history 数据量偏离", f"carbonlake_source_volume_score{HERE}", "{{table}} {{figure}}"),
        _lines("Share of rows set aside 隔离比例",
               f"carbonlake_source_rows_set_aside{HERE} / carbonlake_source_rows_read{HERE}", unit="percentunit"),
        _lines("Fetches of 30 days 抽取次数", f"carbonlake_source_fetches{HERE}", "{{table}} {{result}}"),
        _lines("Messages that wait at brokers 流积压", f"carbonlake_stream_behind{HERE}"),
        _lines("Messages taken 流消息", f"carbonlake_stream_messages{HERE}"),
        _lines("Messages set aside 流隔离", f"carbonlake_stream_refused{HERE}"),
    ]  # fmt: skip


def _work() -> list[dict[str, Any]]:
    return [
        _lines("Rows written 写入行数", _growth("rows_written"), stacked=True),
        _lines("Rows read 读入行数", _growth("rows_in"), stacked=True),
        _lines(
            "Builds by how they ended 构建结果", f"sum by (status) (increase(carbonlake_builds_total{HERE}[1h]))", "{{status}}"
        ),
        _lines("Time spent in builds 构建耗时", _growth("build_seconds"), unit="s", stacked=True),
        _lines("Newest build 最近一次耗时", f"topk(10, carbonlake_last_build_seconds{HERE})", unit="s"),
    ]


def _sizes() -> list[dict[str, Any]]:
    return [
        _lines("Bytes of tables 表大小", f"carbonlake_table_bytes{HERE}", unit="bytes", stacked=True),
        _lines("Rows of tables 表行数", f"carbonlake_table_rows{HERE}"),
        _lines("Deliveries 交付物字节", f"carbonlake_delivered_bytes{HERE}", "in force", unit="bytes"),
    ]


def _quality() -> list[dict[str, Any]]:
    return [
        _lines("Rows in quarantine 隔离区", f"carbonlake_quarantine_rows{HERE} > 0"),
        _lines("Deliveries that no checksum guards 无校验和的交付物", f"carbonlake_unchecked_deliveries{HERE} > 0"),
        _lines("Rows set aside and superseded 隔离与被替换",
               f"sum(increase(carbonlake_rows_set_aside_total{HERE}[1h])) + "
               f"sum(increase(carbonlake_rows_superseded_total{HERE}[1h]))", "rows"),
        _lines("Checks that did not hold 未通过的检查",
               'sum by (table, result) (carbonlake_checks{job=~"$job", result!="passed"})', "{{table}} {{result}}"),
    ]  # fmt: skip


def _upkeep() -> list[dict[str, Any]]:
    merged = f"sum(increase(carbonlake_maintenance_files_merged_total{HERE}[1d]))"
    deleted = f"sum(increase(carbonlake_maintenance_files_deleted_total{HERE}[1d]))"
    return [
        _lines("Small files 小文件", f"carbonlake_table_small_files{HERE}"),
        _lines("Versions 版本", f"carbonlake_table_version{HERE}"),
        _lines("Maintenance: files merged and deleted 维护", {"merged": merged, "deleted": deleted}),
        _lines("Energy of builds, an estimate 能耗（估算）", _growth("energy_joules"), unit="joule", stacked=True),
        _lines("CO2 of builds, an estimate 碳排放（估算）", _growth("emission_co2_grams"), unit="massg", stacked=True),
        _lines("Processor time 处理器时间", _growth("cpu_seconds"), unit="s", stacked=True),
        _lines("Time to read all this 采集耗时", f"carbonlake_look_seconds{HERE}", "{{instance}}", unit="s"),
    ]


def _growth(name: str) -> str:
    return f"sum by (table) (increase(carbonlake_{name}_total{HERE}[1h])) > 0"


def _placed(rows: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Lay panels out, row by row, and number them."""
    placed: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        height, each = (4, WIDTH // len(row)) if row[0]["type"] == "stat" else (8, 12)
        for number, panel in enumerate(row):
            across = WIDTH // each
            place = {"h": height, "w": each, "x": each * (number % across), "y": top + height * (number // across)}
            placed.append({"id": len(placed) + 1, "gridPos": place, "datasource": SOURCE, **panel})
        top = placed[-1]["gridPos"]["y"] + height
    return placed


def _stat(title: str, query: str, steps: list[tuple[float | None, str]], unit: str = "short") -> dict[str, Any]:
    thresholds = {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}
    return {"type": "stat", "title": title, "targets": _targets({"": query}),
            "fieldConfig": {"defaults": {"unit": unit, "thresholds": thresholds}, "overrides": []},
            "options": {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}}}  # fmt: skip


def _lines(
    title: str, query: str | dict[str, str], legend: str = "{{table}}", unit: str = "short", stacked: bool = False
) -> dict[str, Any]:  # fmt: skip
    queries = {legend: query} if isinstance(query, str) else query
    custom = {"fillOpacity": 20, "stacking": {"mode": "normal" if stacked else "none"}}
    return {"type": "timeseries", "title": title, "targets": _targets(queries),
            "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": custom}, "overrides": []},
            "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}}  # fmt: skip


def _bars(title: str, query: str) -> dict[str, Any]:
    steps = [{"value": None, "color": GREEN}, {"value": 0.8, "color": YELLOW}, {"value": 1, "color": RED}]
    defaults = {"unit": "percentunit", "min": 0, "max": 1.5, "thresholds": {"mode": "absolute", "steps": steps}}
    return {"type": "bargauge", "title": title, "targets": _targets({"{{table}}": query}, instant=True),
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": {"orientation": "horizontal"}}  # fmt: skip


def _list(title: str, queries: dict[str, str]) -> dict[str, Any]:
    return {"type": "table", "title": title, "targets": _targets(queries, instant=True, form="table"),
            "transformations": [{"id": "merge", "options": {}}],
            "fieldConfig": {"defaults": {}, "overrides": []}, "options": {"showHeader": True}}  # fmt: skip


def _targets(queries: dict[str, str], instant: bool = False, form: str = "time_series") -> list[dict[str, Any]]:
    return [{"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": query, "legendFormat": legend, "format": form,
             "instant": instant, "range": not instant} for number, (legend, query) in enumerate(queries.items())]  # fmt: skip


def text() -> str:
    """Return the file as it is written."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

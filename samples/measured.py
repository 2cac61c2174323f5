"""What enterprises that do not exist measured of their coal and at a stack, and the factor that a person set for one of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from samples.enterprises import enterprises

MEASURED = ("统一社会信用代码", "企业名称", "活动代码", "参数", "气体", "数值", "单位", "起始日期", "截止日期", "报送日期",
            "检测方法", "不确定度(%)", "证明文件", "页码")  # fmt: skip
OVERRIDE = ("主体标识", "活动代码", "参数", "气体", "数值", "单位", "起始日期", "截止日期", "理由", "申请人", "批准人",
            "批准日期", "依据", "不确定度(%)")  # fmt: skip
STACK = ("排放口编号", "行政区划代码", "行业代码", "时间", "排放时长(h)", "CO2(%)", "标干流量(Nm3/h)", "截面积(m2)", "流速(m/s)",
         "烟温(℃)", "大气压(Pa)", "静压(Pa)", "含湿量(%)")  # fmt: skip
STOP = 5  # the hour in which the boiler stood still for half an hour; in the next one the flow meter gave no flow
HALVES = (("2024-01-01", "2024-06-30", "2024-07-15"), ("2024-07-01", "2024-12-31", "2025-01-15"))
HEAT, CARBON = ("21.85", "22.10"), ("0.02661", "0.02655")


def write_measured(folder: Path) -> None:
    """Write two half-years of heat and carbon of the coal of one power plant, and one override of another."""
    code, name, *_ = enterprises()[1]
    rows = []
    for (first, last, told), heat, carbon in zip(HALVES, HEAT, CARBON, strict=True):
        report = f"{name}煤质检测报告{first[:4]}-{'上' if first[5:7] == '01' else '下'}半年（虚构）"
        for role, value, unit, how, uncertainty, page in (
            ("ncv", heat, "GJ/t", "GB/T 213，每日综合样", "1.5", "3"),
            ("cc", carbon, "tC/GJ", "GB/T 476，每月缩分样", "2", "4"),
        ):
            rows.append((code, name, "fuel_bituminous_coal", role, "", value, unit, first, last, told, how, uncertainty,
                         report, page))  # fmt: skip
    _write(folder / "measured/2024.csv", MEASURED, rows)
    heated = enterprises()[16]
    _write(folder / "override/2024.csv", OVERRIDE, [
        (f"enterprise:{heated[0]}", "heat_purchased", "ef", "CO2", "0.10", "tCO2/GJ", "2024-01-01", "2024-12-31",
         "供热企业提供经核查的实际排放因子（虚构）", "张三（虚构）", "李四（虚构）", "2025-02-10",
         "供热企业2024年核查报告（虚构）", "5"),
    ])  # fmt: skip


def write_stack(folder: Path) -> None:
    """Write a day of readings of one stack; in one hour the flow has to be worked out from the velocity."""
    code, _, industry, region = enterprises()[1][:4]
    rows = []
    for hour in range(24):
        wave = hour % 6
        flow = "" if hour == STOP + 1 else str(1_180_000 + 7_000 * wave)
        place = (f"{code}-DA001", region, industry, f"2024-01-01 {hour:02}:00", "0.5" if hour == STOP else "1")
        duct = ("38", f"{13.0 + 0.1 * wave:.1f}", "118", "101325", "-200", "8")
        rows.append((*place, f"{11.8 + 0.1 * wave:.1f}", flow, *duct))
    _write(folder / "cems/2024-01-01.csv", STACK, rows)


def _write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])

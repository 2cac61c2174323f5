"""Parks, projects, persons and facilities that do not exist, and what became of enterprises of ours in 2024."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from samples.uscc import made_up

Row = Sequence[str]
CEMENT, STEEL, LAST_STEEL = made_up("340000", 9), made_up("130000", 17), made_up("650000", 24)
ENTERPRISE = (
    "统一社会信用代码",
    "企业名称",
    "行业代码",
    "行政区划代码",
    "园区编号",
    "主要产品",
    "产能",
    "法定代表人",
    "生效日期",
)
PARK = ("园区编号", "园区名称", "园区级别", "行政区划代码", "面积(平方公里)", "主导产业")
PROJECT = ("项目统一代码", "项目名称", "建设单位", "建设单位代码", "法定代表人", "建设性质", "行业代码", "行政区划代码",
           "详细地址", "计划开工日期", "计划投产日期", "总投资(万元)")  # fmt: skip
INDIVIDUAL = ("个人编号", "姓名", "手机号码", "行政区划代码")
FACILITY = ("设施编号", "设施名称", "统一社会信用代码", "行业代码", "行政区划代码", "园区编号", "生效日期")


def changes() -> list[Row]:
    """Return a cement works that moves from one park to another in July 2024, and steelworks that make only iron from then on."""
    cement = (CEMENT, "示例水泥甲（虚构）", "3011", "340000")
    about = ("水泥", "200 万吨/年", "示例法人甲（虚构）")
    return [
        (*cement, "EXAMPLE-P1", *about, "2023-01-01"),
        (*cement, "EXAMPLE-P2", *about, "2024-07-01"),
        (LAST_STEEL, "示例钢铁辛（虚构）", "3110", "650000", "", "生铁", "300 万吨/年", "示例法人辛（虚构）", "2024-07-01"),
    ]


def masters() -> Mapping[str, tuple[Row, list[Row]]]:
    """Return each delivery: its header and its rows."""
    return {
        "park/parks.csv": (PARK, [
            ("EXAMPLE-P1", "示例江北工业园（虚构）", "省级", "340100", "12.5", "建材"),
            ("EXAMPLE-P2", "示例循环经济园（虚构）", "国家级", "340200", "20", "建材、再生资源"),
        ]),
        "project/projects.csv": (PROJECT, [
            ("2024-EXAMPLE-01", "示例水泥余热发电（虚构）", "示例水泥甲（虚构）", CEMENT, "示例法人甲（虚构）", "改建", "4411",
             "340200", "示例路 1 号", "2024-09-01", "2025-12-31", "8600"),
            ("2024-EXAMPLE-02", "示例高炉煤气回收（虚构）", "示例钢铁甲（虚构）", STEEL, "示例法人乙（虚构）", "新建", "3110",
             "130000", "示例路 2 号", "2024-03-01", "2025-06-30", "12500.5"),
        ]),
        "individual/persons.csv": (INDIVIDUAL, [
            ("EXAMPLE-1", "示例填报员甲（虚构）", "13800000000", "340100"),
            ("EXAMPLE-2", "示例填报员乙（虚构）", "13900000000", "130200"),
        ]),
        "facility/facilities.csv": (FACILITY, [
            ("EXAMPLE-F1", "示例水泥甲一号窑（虚构）", CEMENT, "3011", "340000", "EXAMPLE-P1", "2023-01-01"),
            ("EXAMPLE-F1", "示例水泥甲一号窑（虚构）", CEMENT, "3011", "340000", "EXAMPLE-P2", "2024-07-01"),
            ("EXAMPLE-F2", "示例钢铁甲一号高炉（虚构）", STEEL, "3110", "130000", "", ""),
        ]),
    }  # fmt: skip

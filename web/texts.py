"""What pages say, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LANGUAGES = ("en", "zh")
TEXTS = {
    "upload": ("Upload", "上传"),
    "forms": ("Forms", "填报"),
    "deliveries": ("Deliveries", "数据交付"),
    "language": ("中文", "English"),
    "drop": ("Drop files here, or choose them", "将文件拖到这里，或点击选择"),
    "drop_more": (
        "Files of any size. After a reload or a break choose the same file again: it goes on where it stood.",
        "文件大小不限。页面刷新或中断后重新选择同一文件即可从断点继续。",
    ),
    "pause": ("Pause", "暂停"),
    "resume": ("Resume", "继续"),
    "remove": ("Remove", "删除"),
    "waiting": ("Uploads that wait", "待处理的上传"),
    "open": ("Open", "打开"),
    "inside": ("What is inside", "文件内容"),
    "read_as": ("It is read as {0}", "按 {0} 读取"),
    "reading": ("Looking into it …", "正在识别 …"),
    "table": ("Table it is for", "目标数据表"),
    "new_table": ("Or propose a contract for a new table, e.g. cleaned.readings", "或为新表生成契约，如 cleaned.readings"),
    "propose": ("Propose", "生成"),
    "preview": ("Preview", "预检"),
    "previewing": ("Reading and checking, nothing is landed …", "正在读取并校验，不会入湖 …"),
    "choose_table": ("Choose a table first", "请先选择数据表"),
    "same": ("The same bytes as delivery {0}; nothing would change", "与交付 {0} 完全相同，不会产生变化"),
    "would_write": (
        "{0}: {1} rows would be written, {2} set aside, {3} superseded",
        "{0}：将写入 {1} 行，隔离 {2} 行，被替代 {3} 行",
    ),
    "would_not": ("{0}: nothing would be written", "{0}：不会写入任何数据"),
    "rules": ("Rows that would be set aside", "将被隔离的行"),
    "rule": ("Rule", "规则"),
    "rows": ("Rows", "行数"),
    "place": ("Place", "位置"),
    "raw": ("As found", "原文"),
    "build": ("Build the table after it", "入湖后构建数据表"),
    "land": ("Land", "入湖"),
    "landing": ("Landing …", "正在入湖 …"),
    "landed": ("Landed as delivery {0}", "已入湖，交付编号 {0}"),
    "landed_before": ("The same bytes were there already, as delivery {0}", "相同数据已存在，交付编号 {0}"),
    "person": ("Who fills this in", "填报人"),
    "add_row": ("Add a row", "添加一行"),
    "check": ("Check", "校验"),
    "checking": ("Checking …", "正在校验 …"),
    "fine": ("All rows are right", "全部通过校验"),
    "submit": ("Submit", "提交"),
    "faults": ("{0} values are not right; nothing was landed", "{0} 处有误，未提交"),
    "near": ("did you mean {0}?", "是否为 {0}？"),
    "no_forms": ("No contract says `form: true`", "没有声明 form: true 的契约"),
    "row_of": ("row {0}: {1}", "第 {0} 行：{1}"),
    "none": ("Nothing yet", "暂无"),
    "name": ("Name", "名称"),
    "value": ("Value", "值"),
    "state": ("State", "状态"),
    "received_at": ("Received", "接收时间"),
    "delivery": ("Delivery", "交付编号"),
    "reason": ("Reason", "原因"),
    "s_waiting": ("waits for a build", "待构建"),
    "s_read": ("read", "已读取"),
    "s_refused": ("refused", "被拒绝"),
    "s_unclaimed": ("no table claims it", "无归属表"),
    "s_receiving": ("receiving", "接收中"),
    "s_whole": ("complete", "已完整"),
    "s_landed": ("landed", "已入湖"),
}


def say(language: str, key: str, *values: Any) -> str:
    """Return a text in a language, with values in their places."""
    return TEXTS[key][LANGUAGES.index(language)].format(*values)


def chosen(asked: str, accepted: str) -> str:
    """Return the language that a page was asked in, else the one that the browser prefers."""
    if asked in LANGUAGES:
        return asked
    return "zh" if accepted.lower().startswith("zh") else "en"


def of_two(language: str, english: str, chinese: str) -> str:
    """Return the text of the language, where there is one."""
    return chinese or english if language == "zh" else english or chinese


def rows_of(inside: dict[str, Any], most: int = 300) -> Sequence[dict[str, str]]:
    """Return what a probe tells as rows of name and value."""
    return [{"name": str(name), "value": str(value)[:most]} for name, value in inside.items()]

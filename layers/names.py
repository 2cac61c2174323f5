"""Names of enterprises, as different people write them: brought to one writing, compared, linked where that is sure."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from layers.numbers import fix
from schemas.codes import code_list

SURE, REVIEW, NONE, DECIDED, APART = "sure", "review", "none", "decided", "apart"
LINKED = (SURE, DECIDED)
# What a difference beside the core costs; one alone is enough to ask a person.
NO_PLACE, OTHER_PLACE, OTHER_FORM, OTHER_MARK, OTHER_CORE = 0.04, 0.15, 0.04, 0.10, 0.04
WHOLE = "="
GRAMS, MOST = 4, 500  # rarest pairs of signs that look for candidates; a pair in more names than that finds none
WIDE = "".join(map(chr, range(0xFF01, 0xFF5F)))
NARROW = "".join(map(chr, range(0x21, 0x7F)))
TRADITIONAL = ("電業廠東車長發動機電礦鋼鐵煉銅鋁鹽紙紡織絲綢藥醫學術國際貿運輸環節減碳熱氣壓縮設備儀錶儲達華興豐盛龍馬"
               "魚鳥門開關聯營總經濟區縣鄉鎮島灣寧廣陝遼滬蘇浙閩贛魯鄂粵瓊貴雲臺農漁機場傳輸線網絡軟體數據訊號實驗檢測"
               "廢處理濾淨質標準糧飼飲釀廚櫃傢俱裝飾築橋樑鍋爐輪軸齒輕鋰鈦鎳鎢錳鋅鉛銀鑄鍛焊陽陰風兒歲麗韓劉陳張楊趙黃吳鄭馮衛蔣許"
               "呂孫葉蕭譚鄧羅畢顧賀龔萬億兩個們為與後從來時會們點無聖義愛樂藝橋樹獅鳳鵬鷹雙響廬"
               "責團產應製複潔鍍錫煙揚綠鑽創匯凱誠榮勝馳順鴻寶強潤澤頓維賽諾資財銷購貨專廳館員協證險銳鋒騰駿飛艦鈞"
               "構虛")  # fmt: skip
SIMPLIFIED = ("电业厂东车长发动机电矿钢铁炼铜铝盐纸纺织丝绸药医学术国际贸运输环节减碳热气压缩设备仪表储达华兴丰盛龙马"
              "鱼鸟门开关联营总经济区县乡镇岛湾宁广陕辽沪苏浙闽赣鲁鄂粤琼贵云台农渔机场传输线网络软体数据讯号实验检测"
              "废处理滤净质标准粮饲饮酿厨柜家具装饰筑桥梁锅炉轮轴齿轻锂钛镍钨锰锌铅银铸锻焊阳阴风儿岁丽韩刘陈张杨赵黄吴郑冯卫蒋许"
              "吕孙叶萧谭邓罗毕顾贺龚万亿两个们为与后从来时会们点无圣义爱乐艺桥树狮凤鹏鹰双响庐"
              "责团产应制复洁镀锡烟扬绿钻创汇凯诚荣胜驰顺鸿宝强润泽顿维赛诺资财销购货专厅馆员协证险锐锋腾骏飞舰钧"
              "构虚")  # fmt: skip
# The longest first. A 有限公司 is the short way to write a 有限责任公司 (Company Law, art. 7).
FORMS = ("股份有限公司", "有限责任公司", "有限公司", "股份公司", "合伙企业", "总公司", "公司", "COLTD", "LTD", "INC", "CORP")
SHORT = {"有限责任公司": "有限公司", "股份公司": "股份有限公司", "COLTD": "有限公司", "LTD": "有限公司"}
GROUP = "集团"
MARKS = "[^0-9一二三四五六七八九十甲乙丙丁戊己庚辛壬癸东南西北中新老分支]"  # all but what tells works of one owner apart


def normalised(name: Column) -> Column:
    """Return a name in one writing: narrow signs, simplified characters, capitals, without blanks, points and brackets."""
    narrow = F.translate(name, WIDE + TRADITIONAL, NARROW + SIMPLIFIED)
    return F.nullif(
        F.upper(F.regexp_replace(narrow, r"[\x00-\x20\x22-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e　·•。，、“”‘’—《》【】]", "")),
        F.lit(""),
    )


def parted(frame: DataFrame, name: str, region: str) -> DataFrame:
    """Return the frame with `full`, `core`, `form`, `place` (two digits of GB/T 2260) and `marks` of a name.

    `region` is a column of division codes, NULL where nobody said; a place in the name goes before it.
    """
    ending = f"({'|'.join(FORMS)})$"
    with_full = frame.withColumn("full", normalised(F.col(name)))
    form = F.regexp_extract("full", ending, 1)
    short = reduce(lambda kept, pair: F.when(form == pair[0], F.lit(pair[1])).otherwise(kept), SHORT.items(), form)
    bare = F.regexp_replace(F.regexp_replace(F.col("full"), ending, ""), f"{GROUP}$", "")
    of_name = F.regexp_extract(bare, f"^({'|'.join(sorted(_places(), key=lambda p: (-len(p), p)))})", 1)
    core = F.when((of_name != "") & (F.length(of_name) < F.length(bare) - 1), bare.substr(F.length(of_name) + 1, F.length(bare)))
    place = F.coalesce(_province(of_name), F.nullif(F.substring(F.col(region), 1, 2), F.lit("")))
    return with_full.withColumns({
        "full": F.concat(F.regexp_replace(F.col("full"), ending, ""), short), "core": F.coalesce(core, bare),
        "form": short, "place": place,
        "marks": F.regexp_replace(F.coalesce(core, bare), MARKS, ""),
    })  # fmt: skip


def similarity(one: Column, other: Column) -> Column:
    """Return 1 - Levenshtein distance / length of the longer, from 0 to 1."""
    return F.lit(1.0) - F.levenshtein(one, other).cast("double") / F.greatest(F.length(one), F.length(other)).cast("double")


def matched(
    mention: DataFrame, enterprise: DataFrame, *, sure: float = 0.97, review: float = 0.6, near: float = 0.03
) -> DataFrame:
    """Return each different `name` of `mention` with the enterprise (`name`, `uscc`, `region_code`) most like it.

    Columns: name, rows, uscc, matched_name, score, second_uscc, second_score, state. `sure` are those that differ in
    writing alone and have no rival within `near`; `review` are for a person, two that are near each other always; `none`
    have nobody alike. What is not `sure` is never to be linked without a decision (`linked`).
    """
    names = (
        mention.where(F.col("name").isNotNull())
        .groupBy("name")
        .agg(F.count(F.lit(1)).alias("rows"), F.min("region_code").alias("_low"), F.max("region_code").alias("_high"))
    )
    region = F.when(F.col("_low") == F.col("_high"), F.col("_low"))
    ours = _prefixed(parted(names.withColumn("_region", region), "name", "_region").select("name", "rows", *PARTS), "m")
    theirs = _prefixed(parted(enterprise, "name", "region_code").select("name", "uscc", *PARTS), "e")
    scored = _candidates(ours, theirs).withColumn("score", _score()).where(F.col("score") >= review)
    order = Window.partitionBy("m_name").orderBy(F.col("score").desc(), F.col("e_uscc"))
    # An enterprise that moved or was renamed has several rows; the one that is most like the name stands for it.
    nearest = F.max(F.struct("score", "e_name")).alias("nearest")
    by_code = scored.groupBy("m_name", "e_uscc").agg(nearest).select("m_name", "e_uscc", "nearest.score", "nearest.e_name")
    best = by_code.select("*", F.row_number().over(order).alias("n")).where("n <= 2")
    found = best.groupBy("m_name").agg(*(_nth(column, n, alias) for column, n, alias in (
        ("e_uscc", 1, "uscc"), ("e_name", 1, "matched_name"), ("score", 1, "best"), ("e_uscc", 2, "second_uscc"),
        ("score", 2, "second"))))  # fmt: skip
    alone = F.coalesce(F.col("best") - F.col("second") >= near, F.lit(True))
    state = (
        F.when(F.col("best").isNull(), F.lit(NONE)).when((F.col("best") >= sure) & alone, F.lit(SURE)).otherwise(F.lit(REVIEW))
    )
    joined = ours.join(found.withColumnRenamed("m_name", "_name"), F.col("m_name") == F.col("_name"), "left")
    return joined.select(
        F.col("m_name").alias("name"), F.col("m_rows").alias("rows"), "uscc", "matched_name", fix(F.col("best")).alias("score"),
        "second_uscc", fix(F.col("second")).alias("second_score"), state.alias("state"),
    )  # fmt: skip


def decided(match: DataFrame, decision: DataFrame) -> DataFrame:
    """Lay what people decided over matches: the newest word on a name stands, whatever the score."""
    order = Window.partitionBy("name").orderBy(F.col("decided_at").desc(), F.col("decision"), F.col("uscc"))
    last = (
        decision.withColumn("_n", F.row_number().over(order))
        .where("_n = 1")
        .select(
            F.col("name").alias("_name"),
            F.col("uscc").alias("_uscc"),
            "decision",
            F.col("person").alias("decided_by"),
            "decided_at",
        )
    )
    joined = match.join(last, F.col("name") == F.col("_name"), "left")
    word = F.col("decision")
    state = F.when(word == "link", F.lit(DECIDED)).when(word == "apart", F.lit(APART)).otherwise(F.col("state"))
    return joined.withColumns({
        "state": state,
        "uscc": F.when(word == "link", F.col("_uscc")).when(word.isNull(), F.col("uscc")),
        "candidate_uscc": F.col("uscc"),
    }).withColumn("uscc", F.when(F.col("state").isin(*LINKED), F.col("uscc")))  # fmt: skip


def linked(frame: DataFrame, match: DataFrame, name: str, into: str = "uscc") -> DataFrame:
    """Return the frame with the code of the enterprise that a name stands for, NULL where nobody is sure."""
    known = match.where(F.col("state").isin(*LINKED)).select(F.col("name").alias("_name"), F.col("uscc").alias(into))
    return frame.join(known, F.col(name) == F.col("_name"), "left").drop("_name")


PARTS = ("full", "core", "form", "place", "marks")


def _prefixed(frame: DataFrame, letter: str) -> DataFrame:
    return frame.select(*(F.col(name).alias(f"{letter}_{name}") for name in frame.columns))


def _nth(column: str, n: int, alias: str) -> Column:
    return F.max(F.when(F.col("n") == n, F.col(column))).alias(alias)


def _score() -> Column:
    """Rate a pair: the likeness of the cores, less what else differs; cores that differ are never sure."""
    same = F.col("m_core") == F.col("e_core")
    core = F.when(same, F.lit(1.0)).otherwise(F.least(similarity(F.col("m_core"), F.col("e_core")), F.lit(1.0 - OTHER_CORE)))
    whole = F.col("m_full") == F.col("e_full")
    lacking = F.when(F.col("m_place").isNull() | F.col("e_place").isNull(), F.when(whole, F.lit(0.0)).otherwise(F.lit(NO_PLACE)))
    place = F.coalesce(lacking, F.when(F.col("m_place") == F.col("e_place"), F.lit(0.0)).otherwise(F.lit(OTHER_PLACE)))
    form = F.when(F.col("m_form") == F.col("e_form"), F.lit(0.0)).otherwise(F.lit(OTHER_FORM))
    marks = F.when(F.col("m_marks") == F.col("e_marks"), F.lit(0.0)).otherwise(F.lit(OTHER_MARK))
    return core - place - form - marks


def _candidates(ours: DataFrame, theirs: DataFrame) -> DataFrame:
    """Return the pairs worth comparing: the same core, or one of the rarest pairs of signs in common.

    Each name looks by its rarest four that the others have at all, and none that more than five hundred have, so the
    pairs are at most two thousand a name, and of real names a few dozen. Every use of a frame is a copy of its plan, so
    what is compared travels with the pairs of signs instead of being joined back.
    """
    postings = _grams(theirs, "e")
    often = postings.groupBy("e_gram").agg(F.count(F.lit(1)).alias("often")).where(F.col("often") <= MOST)
    asked = _grams(ours, "m").join(often, F.col("m_gram") == F.col("e_gram")).drop("e_gram")
    rarest = Window.partitionBy("m_name").orderBy("often", "m_gram")
    chosen = asked.withColumn("n", F.row_number().over(rarest)).where((F.col("n") <= GRAMS) | F.col("m_gram").startswith(WHOLE))
    sides = [f"m_{name}" for name in ("name", *PARTS)] + [f"e_{name}" for name in ("name", "uscc", *PARTS)]
    pairs = chosen.join(postings, F.col("m_gram") == F.col("e_gram"))
    return pairs.groupBy(*sides).agg(F.count(F.lit(1)).alias("shared"))


def _grams(frame: DataFrame, letter: str) -> DataFrame:
    """Return a row for each different pair of neighbouring signs of a core, its ends included, and one for the whole."""
    word = F.concat(F.lit("^"), F.col(f"{letter}_core"), F.lit("$"))
    pairs = F.transform(F.sequence(F.lit(1), F.length(word) - 1), lambda at: F.substr(word, at, F.lit(2)))
    every = F.concat(F.array_distinct(pairs), F.array(F.concat(F.lit(WHOLE), F.col(f"{letter}_core"))))
    return frame.select("*", F.explode(every).alias(f"{letter}_gram"))


def _places() -> dict[str, str]:
    """Return names of provinces and cities, with and without what kind they are, and the two digits of their province."""
    found: dict[str, str] = {}
    for row in code_list("region"):
        if row["level"] in ("province", "city") and row["code"].isdigit():
            bare = _bare(row["name"])
            found |= {one: row["code"][:2] for one in (row["name"], bare) if len(one) > 1 and one not in found}
    return found


def _bare(name: str) -> str:
    for kind in ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州", "地区", "省", "市", "盟"):
        if name.endswith(kind) and len(name) - len(kind) > 1:
            return name[: -len(kind)]
    return name


def _province(of_name: Column) -> Column:
    """Look a place up in one text, |place=11|…: a chain of conditions would name the column for each province."""
    text = F.lit("|" + "|".join(f"{name}={code}" for name, code in sorted(_places().items())) + "|")
    at = F.position(F.concat(F.lit("|"), of_name, F.lit("=")), text)
    return F.when(at > 0, F.regexp_extract(F.substr(text, at, F.lit(40)), "=([0-9]{2})", 1))

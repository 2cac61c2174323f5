"""What a table is: one closed, frozen model per part of a contract."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas import types
from schemas.closed import Closed
from schemas.fetch import Fetch

Write = Literal["replace", "merge", "append", "period"]
Outcome = Literal["quarantine", "fail", "warn"]
Grade = Literal["public", "internal", "confidential", "restricted"]
# What dates are called that no pattern describes; those of INSTANTS say a moment, whatever the source's time zone.
DATES = ("chinese", "quarter", "excel", "excel_1904", "iso", "epoch", "epoch_ms")
INSTANTS = ("iso", "epoch", "epoch_ms")
LAYERS = ("raw", "cleaned", "thematic", "business", "knowledge", "index", "ops")

# Rule → (keys it needs, keys it may have); `a|b` is one of the two.
ROW_RULES = {
    "not_null": ("column", ""),
    "at_least": ("column limit", ""),
    "at_most": ("column limit", ""),
    "between": ("column low high", ""),
    "one_of": ("column values", ""),
    "code": ("column", "codes at"),
    "length": ("column limit|low|high", ""),
    "pattern": ("column pattern", ""),
    "uscc": ("column", ""),
    "resident_id": ("column", ""),
    "phone": ("column", ""),
    "finite": ("column|columns", ""),
    "expression": ("expression name", "column"),
}
SET_RULES = {
    "unique": ("column|columns", ""),
    "reference": ("table column|columns", ""),
    "monotone": ("column", "columns by"),
    "no_overlap": ("column of by", "expression"),
    "freshness": ("column limit", ""),
    "row_count": ("limit|low|high", ""),
    "sum_change": ("column limit", ""),
    "rate_of_change": ("column limit", "by columns"),
    "robust_z": ("column limit", "by"),
    "capacity": ("column of", "table columns limit"),
}
# Rules that ask people to look, and so warn unless `else` says more.
WARNINGS = ("rate_of_change", "robust_z", "capacity")


# What a source that reads the deliveries of another one takes from there, and what every other one must say.
PLACED = ("zone", "path", "publisher", "licence")
TAKEN = ("citation", "schedule", "timezone", "synthetic")


class Source(Closed):
    """Where the deliveries of a cleaned table come from and how they are read.

    One that reads the deliveries `of` another table takes what says where they come from over from there.
    """

    of: str | None = Field(None, description="Cleaned table whose deliveries this one reads, too")
    zone: str = ""
    path: str = Field("", description="Pattern of delivery names that this source claims, e.g. meters/*.csv")
    fetch: Fetch | None = Field(None, description="How deliveries are fetched, where nobody brings them")
    format: Literal[
        "csv", "excel", "json", "netcdf", "hdf5", "parquet", "pdf", "word", "xml", "yaml", "orc", "avro", "html", "fixed", "cdl",
        "messages", "file", "boundaries",
    ]  # fmt: skip
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the format's reader")
    form: bool = Field(False, description="People fill it in by hand, too: `carbonlake serve` makes a form of the columns")
    publisher: str = ""
    licence: str = ""
    citation: str = ""
    schedule: str = "manual"
    timezone: str = Field("Asia/Shanghai", description="Time zone of days, months and naive instants in the source")
    synthetic: bool = Field(False, description="True where the figures are made up")

    @property
    def numbered(self) -> bool:
        """Whether the place of a row is a number: of its line, or of its cell; in an archive the member's name is part of it."""
        return "members" not in self.options and (self.format == "csv" or bool(self.options.get("cell_numbers")))

    @model_validator(mode="after")
    def _placed(self) -> Source:
        lacking = [name for name in PLACED if not getattr(self, name)]
        given = sorted({*PLACED, "fetch", *TAKEN} & self.model_fields_set)
        if self.of and given:
            raise ValueError(f"{', '.join(given)}: these are those of {self.of}, whose deliveries are read")
        if lacking and not self.of:
            raise ValueError(f"{lacking[0]}: this key is missing")
        *folders, last = self.path.split("/")
        if self.form and (self.of or self.format != "csv" or self.options or last != "*.csv" or set("*?[") & {*"".join(folders)}):
            raise ValueError("form: what is filled in comes as plain csv: `format: csv` without options, `path: <folder>/*.csv`")
        return self


class UnitOfRow(Closed):
    """Where each row says its unit; one that is not known, or that measures something else, sets the row aside."""

    column: str = Field(description="Header of the unit in the source")
    names: dict[str, str] = Field(default_factory=dict, description="What the source calls units → units, e.g. {方: m3}")


class Written(Closed):
    """How numbers are written in the source beside plain digits; what is in no declared style is no number."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = Field(None, description="What stands between groups of three digits")
    wide: bool = Field(False, description="Digits and signs may be of full width")
    counts: bool = Field(False, description="A count may follow: 千, 万, 百万, 千万, 亿, 万亿")
    percent: bool = Field(False, description="A percent sign may follow; 12.5% is 0.125 where the unit is 1, 12.5 where it is %")
    parentheses: bool = Field(False, description="A number in parentheses is negative")
    qualifier: str | None = Field(None, description="Column that keeps what stands before a number: <, ≤, >, ≥ or ~")

    @model_validator(mode="after")
    def _told_apart(self) -> Written:
        if self.thousands == self.decimal:
            raise ValueError(f"thousands: {self.thousands!r} is the decimal sign, too; give `decimal`")
        return self


class Column(Closed):
    """One column: taken from a header of the source, or derived; missing parts come from schemas/fields/."""

    type: Annotated[str, BeforeValidator(types.check)] | None = None
    unit: str | None = None
    description: str | None = None
    description_zh: str | None = None
    grade: Grade | None = None
    codes: str | None = Field(None, description="Code list of schemas/codes/ that its values belong to")
    required: bool = False
    optional: bool = Field(False, description="A delivery may come without the header; the column is NULL then")
    from_: str | list[str] | None = Field(
        None, alias="from", description="Header in the source (or several it may carry), or _name, _member, _locator"
    )
    unit_from: str | UnitOfRow | None = Field(
        None, description="Unit in the source, or {column: its header} where each row has its own; converted to `unit`"
    )
    format: str | tuple[str, ...] | None = Field(
        None,
        description="Pattern of dates in the source, e.g. yyyyMMdd, or several, or a name: " + ", ".join(DATES),
    )
    written: Written | None = Field(None, description="How numbers are written in the source")
    pattern: str | None = Field(None, description="Regular expression whose first group is the value")
    null_values: tuple[str, ...] = ()
    derive: str | None = Field(None, description="SQL expression over the columns of the row")
    mask: Literal["hide", "hash", "last4"] | None = None


def _iso(value: Any) -> Any:
    """YAML reads 2026-01-01 as a date; limits are kept as text and compared in the type of their column."""
    return value.isoformat() if isinstance(value, date) else value


Limit = Annotated[int | float | str, BeforeValidator(_iso)]


class Rule(Closed):
    """A check: on a row (a predicate that must hold) or on the whole table (an aggregate)."""

    rule: str
    column: str | None = None
    columns: tuple[str, ...] = ()
    limit: Limit | None = None
    low: Limit | None = None
    high: Limit | None = None
    values: tuple[Limit, ...] = ()
    codes: str | None = None
    at: str | None = Field(None, description="Column with the day or year at which a `code` must be in force")
    pattern: str | None = None
    expression: str | None = None
    table: str | None = Field(None, description="Table that `reference` or `capacity` looks into")
    of: str | None = Field(
        None, description="Column with the capacity, here or in `table`; of `no_overlap`, with the end of the period"
    )
    by: tuple[str, ...] = ()
    name: str | None = None
    else_: Outcome | None = Field(None, alias="else")

    @model_validator(mode="after")
    def _known(self) -> Rule:
        if self.rule not in ROW_RULES | SET_RULES:
            raise ValueError(f"unknown rule {self.rule!r}; known: {', '.join(sorted(ROW_RULES | SET_RULES))}")
        self._keys_fit()
        if self.is_set and self.else_ == "quarantine":
            raise ValueError(f"rule {self.rule!r} looks at the whole table: its `else` is fail or warn")
        return self

    def _keys_fit(self) -> None:
        needs, may = (ROW_RULES | SET_RULES)[self.rule]
        given = {name for name in type(self).model_fields if getattr(self, name) not in (None, ())}
        given -= {"rule", "name", "else_"}
        for need in needs.split():
            if not given & set(need.split("|")) and need != "name":
                raise ValueError(f"rule {self.rule!r} needs {need.replace('|', ' or ')}")
        if "name" in needs and not self.name:
            raise ValueError(f"rule {self.rule!r} needs name, which reports call it by")
        if surplus := given - set(f"{needs} {may}".replace("|", " ").split()):
            raise ValueError(f"rule {self.rule!r} has no use for {', '.join(sorted(surplus))}")

    @property
    def is_set(self) -> bool:
        """Whether the rule needs more than the row it judges."""
        return self.rule in SET_RULES

    @property
    def outcome(self) -> Outcome:
        """What happens where the rule does not hold."""
        return self.else_ or ("warn" if self.rule in WARNINGS else "fail" if self.is_set else "quarantine")

    @property
    def label(self) -> str:
        """A short name that tells the rules of one table apart."""
        target = self.column or "_".join(self.columns)
        return self.name or "_".join(part for part in (self.rule, target) if part)


class Balance(Closed):
    """A measure that is conserved: its sum here equals what `equals` gives, for each value of `by`."""

    measure: str
    by: tuple[str, ...] = ()
    equals: str | None = Field(None, description="SQL over the inputs: the `by` columns, then the sum")


class Serve(Closed):
    """How the data service of the table filters and orders."""

    filters: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


class Activity(Closed):
    """How one measure of a cleaned table becomes rows of thematic.activity."""

    quantity: str
    subject: str = Field(description="Column that holds the subject's id")
    start: str = Field(description="Column with the start of the period")
    grain: Literal["hour", "day", "month", "quarter", "year"]
    grade: Literal["measured", "calculated", "estimated", "modelled"] = "measured"
    only: str | None = Field(None, description="SQL filter on the rows of the cleaned table")
    rank: int = Field(1, ge=1, description="Where several tables tell of one subject, period and activity, the lowest stands")
    beside: bool = Field(False, description="Of an enterprise or park: its own, beside what its parts tell, no sum of theirs")


class Migration(Closed):
    """A declared change of a published column; an added column needs none."""

    change: Literal["rename", "retype", "drop"]
    column: str
    to: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Migration:
        if (self.change == "rename") != (self.to is not None):
            raise ValueError("`to` names the new column of a rename, and of nothing else")
        return self


class Example(Closed):
    """Rows given and rows expected: a test and a piece of documentation at once."""

    why: str
    given: dict[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]
    quarantined: int | None = None


def _balances(value: Any) -> Any:
    return tuple({"measure": item} if isinstance(item, str) else item for item in value or ())


def _columns(value: Any) -> Any:
    names = dict.fromkeys(value) if isinstance(value, list) else value
    return {name: spec or {} for name, spec in (names or {}).items()}


def _inputs(value: Any) -> Any:
    """A list names tables; the parameter of the transform is then the table's own name."""
    return {name.split(".")[-1]: name for name in value} if isinstance(value, list) else value or {}


class Contract(Closed):
    """One table. `layer` and `name` come from the place of its file."""

    layer: Literal["raw", "cleaned", "thematic", "business", "knowledge", "index", "ops"]
    name: str
    file: str
    description: str
    description_zh: str = ""
    owner: str
    source: Source | None = None
    inputs: Annotated[dict[str, str], BeforeValidator(_inputs)] = Field(
        default_factory=dict,
        description="Parameter of the transform → table; `having: activity` stands for every table with that key, "
        "`having: files` for every table of described files, `having: passages` for every table of a document's passages",
    )
    key: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    write: Write = "replace"
    period: tuple[str, ...] = Field((), description="Columns whose values a delivery is complete for (write: period)")
    columns: Annotated[dict[str, Column], BeforeValidator(_columns)]
    rules: tuple[Rule, ...] = ()
    balance: Annotated[tuple[Balance, ...], BeforeValidator(_balances)] = ()
    activity: dict[str, Activity] = Field(default_factory=dict)
    freshness: str | None = Field(None, description="Age after which `carbonlake show` calls the table stale, e.g. 36h or 40d")
    serve: Serve | None = None
    grade: Grade = "internal"
    retention: str | None = Field(None, description="How long versions are kept, e.g. 30d")
    tolerance: float = Field(0.0, description="Relative difference between engines allowed for exp, pow, log")
    engine: Literal["spark"] | None = Field(None, description="Set where the table must run on Apache Spark")
    migrations: tuple[Migration, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def table(self) -> str:
        """The full name, layer.table."""
        return f"{self.layer}.{self.name}"

    @property
    def reads(self) -> str:
        """The table by whose name the deliveries of this one are landed: itself, or the one that its source is `of`."""
        return (self.source.of if self.source else None) or self.table

    @property
    def recorded(self) -> bool:
        """Whether its rows are written as things happen, and never made from others."""
        return self.layer in ("raw", "ops") or not (self.source or self.inputs)

    @property
    def measures(self) -> tuple[str, ...]:
        """Columns that are balanced."""
        return tuple(item.measure for item in self.balance)

    @model_validator(mode="after")
    def _whole(self) -> Contract:
        for place, names in (
            ("key", self.key), ("partition_by", self.partition_by), ("cluster_by", self.cluster_by),
            ("period", self.period), ("rules", tuple(self._rule_columns())), ("serve", self._serve_columns()),
            ("activity", self._activity_columns()),
        ):  # fmt: skip
            for name in names:
                if name not in self.columns:
                    raise ValueError(f"{place}: {name!r} is not a column; columns: {', '.join(self.columns)}")
        self._sane()
        return self

    def _rule_columns(self) -> list[str]:
        named = [(rule.column, rule.at, *rule.columns, *rule.by, None if rule.table else rule.of) for rule in self.rules]
        return [name for names in named for name in names if name]

    def _serve_columns(self) -> tuple[str, ...]:
        return (self.serve.filters + self.serve.order) if self.serve else ()

    def _activity_columns(self) -> tuple[str, ...]:
        return tuple(name for item in self.activity.values() for name in (item.quantity, item.subject, item.start))

    def _sane(self) -> None:
        if self.layer == "cleaned" and not self.source:
            raise ValueError("source: a cleaned table says where its deliveries come from")
        if self.source and self.layer != "cleaned":
            raise ValueError("source: only cleaned tables read deliveries")
        if self.write == "merge" and not self.key:
            raise ValueError("key: `write: merge` needs one")
        if self.write == "period" and not self.period:
            raise ValueError("period: `write: period` needs the columns a delivery is complete for")
        if len(self.partition_by) > 1:
            raise ValueError("partition_by: one level at most")
        if len({rule.label for rule in self.rules}) < len(self.rules):
            raise ValueError("rules: two rules have the same label; give one a `name`")

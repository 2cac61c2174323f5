"""What an accounting method is: a cited YAML that names activities, inputs with units, and one formula."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

import pint
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from models import formulas, units
from schemas import rooms
from schemas.closed import Closed
from schemas.codes import codes
from schemas.contracts import explain, read_yaml
from schemas.errors import UserError

Grain = Literal["hour", "day", "month", "quarter", "year"]
Family = Literal["emission_factor", "mass_balance", "direct_measurement"]
GRAINS: tuple[Grain, ...] = ("hour", "day", "month", "quarter", "year")
# The set under which the lake adds gases up; another set is another table, never more rows of this one.
GWP_SET = "AR5"
PARENT = "parent"  # of_activity: factors of the activity above serve, too; its own before them where both are as near


def _several(value: Any) -> Any:
    """Take one text for a list of one."""
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Input(Closed):
    """One parameter of the formula: the quantity of the activity, or a factor of the method's set."""

    from_: Literal["activity", "factor"] = Field(alias="from")
    unit: str
    factor_role: str | None = Field(None, description="Role in knowledge.factor; the parameter's own name if left out")
    grain: Literal["hour"] | None = Field(None, description="Set where the factor is a series by hour")
    hour_of: Literal["region", "subject"] = Field(
        "region", description="Whose series by hour: the region's, or the subject's own"
    )
    sets: tuple[str, ...] = Field((), description="Sets of its own, in order: mixing that the method declares; say why in `note`")
    default: float | None = Field(None, description="Value where no set has one, in `unit`; the line is flagged")
    default_source: str = Field("", description="Standard and clause that give the default")
    measured: Literal["allowed", "none"] = Field("allowed", description="none: a subject's own value is never taken")
    uncertainty_percent: float | None = Field(None, ge=0, description="Half of the 95 % interval where the source gives none")
    of_activity: Texts = Field(
        (),
        description="Activities whose factors serve, where another line takes the same; parent: its own and of the one above",
    )
    technology: str = Field("", description="Factors of this technology serve, before those of none in particular")
    note: str = ""

    @model_validator(mode="after")
    def _sourced(self) -> Input:
        if self.from_ == "activity" and (self.sets or self.default is not None):
            raise ValueError("the quantity of the activity has neither `sets` nor `default`")
        if (self.default is not None) != bool(self.default_source):
            raise ValueError("`default` and `default_source` (standard and clause that give it) go together")
        if self.default is not None and not isfinite(self.default):
            raise ValueError(f"default: {self.default} is no number to calculate with")
        return self


class Example(Closed):
    """A worked example: values of the inputs, and tonnes of gas."""

    id: str
    given: dict[str, float]
    expect: float
    tolerance: float = Field(1e-9, description="Relative difference allowed")
    source: str = ""


def _text(value: Any) -> Any:
    """Take 5.2 and 2024 as they stand in YAML for the text they are."""
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text)]


class Method(Closed):
    """One method: `id` and `file` come from the place of its YAML."""

    id: str
    file: str
    title: str
    title_zh: str
    standard: str
    clause: Text
    version: Text
    valid_from: date
    valid_to: date | None = None
    family: Family = "emission_factor"
    industries: tuple[Text, ...] = Field((), description="GB/T 4754 codes that it applies to, classes included; all if none")
    not_industries: tuple[Text, ...] = Field((), description="GB/T 4754 codes whose guide has no such term; none if left out")
    activities: tuple[str, ...] = Field(min_length=1)
    grains: tuple[Grain, ...] = GRAINS
    inputs: dict[str, Input]
    formula: str
    gas: str
    scope: Literal[1, 2, 3]
    category: str
    book: str = Field(description="What its lines add up in: boundary, location or market based, grain")
    factor_sets: tuple[str, ...] = Field((), description="Sets in order; a line takes all parameters from the first complete one")
    factor_set: str | None = Field(None, description="Short for `factor_sets` of one")
    measured: Literal["allowed", "none"] = Field("allowed", description="none: no value of the subject's own is taken")
    instead_of: tuple[str, ...] = Field((), description="Methods that give way where this one is complete, and stand where not")
    fallback: Literal["none", "latest_earlier"] = "none"
    note: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def sets(self) -> tuple[str, ...]:
        """The sets of factors in the order in which they are tried."""
        return self.factor_sets or ((self.factor_set,) if self.factor_set else ())

    @property
    def quantity(self) -> str:
        """The parameter that takes the quantity of the activity."""
        return next(name for name, one in self.inputs.items() if one.from_ == "activity")

    @property
    def factors(self) -> dict[str, Input]:
        """The parameters that take factors."""
        return {name: one for name, one in self.inputs.items() if one.from_ == "factor"}

    @property
    def slots(self) -> dict[str, Input]:
        """The parameters that take one value for each kind of activity: the factors but the one by hour."""
        return {name: one for name, one in self.factors.items() if not one.grain}

    @property
    def hourly(self) -> str | None:
        """The parameter that takes a factor by hour, if there is one."""
        return next((name for name, one in self.factors.items() if one.grain), None)

    def mass(self, values: Mapping[str, Any]) -> Any:
        """Return tonnes of the gas from values of the inputs, numbers or columns."""
        return formula(self)(**{name: values[name] for name in self.inputs})

    @model_validator(mode="after")
    def _whole(self) -> Method:
        if sum(one.from_ == "activity" for one in self.inputs.values()) != 1:
            raise ValueError("inputs: exactly one is `from: activity`; a line is one activity row times factors")
        if sum(one.grain is not None for one in self.factors.values()) > 1:
            raise ValueError("inputs: at most one factor comes by hour")
        if self.factor_set and self.factor_sets:
            raise ValueError("factor_set: short for `factor_sets` of one; give one of the two")
        for name, one in self.factors.items():
            if not (self.sets or one.sets or one.default is not None):
                raise ValueError(
                    f"factor_set: this key is missing; {name} has no sets of its own, and the others come from one set"
                )
            if one.sets and not (one.note or self.note):
                raise ValueError(f"inputs: {name} mixes sets without a `note` that says why")
            if one.grain and (one.default is not None or len(one.sets or self.sets) != 1):
                raise ValueError(f"inputs: {name} comes by hour, from one set and without a default")
        if self.hourly and self.instead_of:
            raise ValueError("instead_of: a method with a factor by hour is known to be complete too late for this")
        for example in self.examples:
            if set(example.given) != set(self.inputs):
                raise ValueError(f"examples: {example.id} gives {sorted(example.given)}, the inputs are {sorted(self.inputs)}")
        return self


def methods() -> dict[str, Method]:
    """Return every method by id, checked. Raise UserError for the first that is wrong."""
    return _load(rooms.rooms())


def formula(method: Method) -> Callable[..., Any]:
    """Return the method's own formula from `<method>.py` beside its YAML, or the stock one it names."""
    return _formula(method.id, method.formula, rooms.rooms())


@cache
def _load(folders: tuple[Path, ...]) -> dict[str, Method]:
    found = {}
    for path in rooms.files("models", "methods/*.yaml"):
        body = read_yaml(path)
        if not isinstance(body, dict):
            raise UserError("a method is a mapping of keys", where=rooms.place(path))
        try:
            found[path.stem] = Method(**{**body, "id": path.stem, "file": rooms.place(path)})
        except ValidationError as error:
            raise explain(error, rooms.place(path), Method) from None
        _check(found[path.stem])
    for one in found.values():
        _check_rivals(one, found)
    return found


def _check_rivals(method: Method, known: Mapping[str, Method]) -> None:
    """Refuse a method that stands instead of one that isn't there, or of another book: nothing is dropped across books."""
    for name in method.instead_of:
        other = known.get(name)
        if other is None or name == method.id:
            raise UserError(f"instead_of: there is no other method {name!r}", where=method.file,
                            remedy=f"one of {', '.join(sorted(known))}")  # fmt: skip
        if (other.book, other.gas) != (method.book, method.gas):
            raise UserError(f"instead_of: {name!r} is of book {other.book} and gas {other.gas}", where=method.file,
                            remedy=f"only a method of book {method.book} and gas {method.gas} gives way to this one")  # fmt: skip


def _check(method: Method) -> None:
    """Refuse unknown codes, a formula with other parameters, and units that don't come out as mass of gas."""
    shared = tuple(code for one in method.factors.values() for code in one.of_activity if one.of_activity != (PARENT,))
    for list_, values in (("activity", method.activities + shared), ("gas", (method.gas,)), ("industry", _divisions(method))):
        if unknown := sorted(set(values) - codes(list_)):
            raise UserError(f"{unknown[0]!r} is not in the code list {list_!r}", where=method.file,
                            remedy=f"a code of schemas/codes/{list_}.csv, or add it to that list in your project")  # fmt: skip
    parameters = inspect.signature(formula(method)).parameters
    needed = {name for name, one in parameters.items() if one.default is one.empty}
    given = set(method.inputs)
    if not needed <= given <= set(parameters):
        takes, gives = ", ".join(parameters), ", ".join(method.inputs)
        raise UserError(f"inputs: the formula {method.formula!r} takes {takes}, given are {gives}", where=method.file,
                        remedy=f"{_lacking(needed - given)}each input bears the name of a parameter")  # fmt: skip
    _check_units(method)


def _divisions(method: Method) -> tuple[str, ...]:
    """The divisions of the industries that a method names, or the letters of sections: the list need not hold every class."""
    named = method.industries + method.not_industries
    return tuple(one[:2] if re.fullmatch(r"\d{2,4}", one) else one for one in named)


def _lacking(names: set[str]) -> str:
    return f"add {', '.join(sorted(names))}; " if names else ""


def _check_units(method: Method) -> None:
    """A formula gives the same with units as without, in tonnes; else a unit is wrong or the formula hides one.

    Over ones, and over values that differ: of ones a difference as h - h0 is nought, whatever its units.
    """
    _check_values(method, dict.fromkeys(method.inputs, 1.0), "one of each unit")
    apart = {name: 0.5 + 0.07 * place for place, name in enumerate(method.inputs)}
    _check_values(method, apart, ", ".join(f"{name} = {value:g}" for name, value in apart.items()))
    _check_proportional(method)


def _check_values(method: Method, values: Mapping[str, float], told: str) -> None:
    plain = method.mass(values)
    listed = ", ".join(f"{name} [{one.unit}]" for name, one in method.inputs.items())
    try:
        measured = {name: units.quantity(values[name], one.unit) for name, one in method.inputs.items()}
        tonnes = method.mass(measured).to("t").magnitude
    except UserError as error:
        raise UserError(f"inputs: {error.what}", where=method.file, remedy=error.remedy) from None
    except (pint.PintError, AttributeError):  # a plain number is no quantity and has no `to`
        raise UserError(f"inputs: {listed} don't reduce to a mass of {method.gas}", where=method.file,
                        remedy="see the units in the docstring of the formula") from None  # fmt: skip
    if abs(tonnes - plain) > 1e-9 * abs(plain):
        raise UserError(f"inputs: {told} makes {tonnes:g} t by units, {plain:g} t by the formula",
                        where=method.file, remedy="give units that multiply to tonnes")  # fmt: skip


def _check_proportional(method: Method) -> None:
    """Refuse a formula that isn't proportional to the quantity: a month would not be the sum of its days."""
    values = {name: 0.5 + 0.07 * place for place, name in enumerate(method.inputs)}
    once, thrice = (method.mass(values | {method.quantity: ad}) for ad in (1.0, 3.0))
    if abs(thrice - 3 * once) > 1e-9 * abs(thrice):
        raise UserError(f"formula: {method.formula!r} isn't proportional to {method.quantity}", where=method.file,
                        remedy="make a method of each stream: a line is one activity row times factors")  # fmt: skip


@cache
def _formula(method: str, name: str, folders: tuple[Path, ...]) -> Callable[..., Any]:
    own = list(rooms.files("models", f"methods/{method}.py"))
    source: Any = _module(own[0]) if own else formulas
    found = getattr(source, name, None)
    if not callable(found) or name.startswith("_"):
        stock = sorted(n for n, f in inspect.getmembers(formulas, inspect.isfunction) if not n.startswith("_"))
        raise UserError(f"formula: there is no {name!r}", where=f"models/methods/{method}.yaml",
                        remedy=f"write it in methods/{method}.py, or take one of {', '.join(stock)}")  # fmt: skip
    return found  # type: ignore[no-any-return]


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"methods_{path.stem}", path)
    assert spec and spec.loader  # a path that ends in .py always has both
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""Contracts in other forms, written as files: all of them generated, none edited."""

from __future__ import annotations

from pathlib import Path

from schemas import dictionary, editor
from schemas.contracts import contracts
from schemas.errors import UserError

FORMS = ("odcs", "dictionary", "json-schema")


def export(what: str, folder: str | Path) -> list[Path]:
    """Write one of `FORMS` into a folder, made if missing; return the paths. Raise UserError for another form."""
    if what not in FORMS:
        raise UserError(f"there is no form {what!r}", remedy=f"known: {', '.join(FORMS)}")
    out = Path(folder)
    return [_written(out / name, text) for name, text in sorted(texts(what).items())]


def texts(what: str) -> dict[str, str]:
    """Return file name → text of a form."""
    every = [one for _, one in sorted(contracts().items())]
    if what == "odcs":
        from schemas.odcs import odcs  # its package reads a large model, which only this form needs

        return {f"{one.table}.odcs.yaml": odcs(one) for one in every}
    if what == "dictionary":
        return {"dictionary.csv": dictionary.as_csv(every)} | {
            f"dictionary.{language}.md": dictionary.as_markdown(every, language) for language in ("en", "zh")
        }
    return {editor.FILE: editor.text()}


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path

"""The one kind of error that a user can mend: what is wrong, where, and what to do next."""

from __future__ import annotations


class UserError(Exception):
    """A mistake that a person can mend; shown without a stack trace.

    ``what`` says what is wrong, ``where`` names file, key or row, ``remedy`` what to do next.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__("\n".join(part for part in (self._head(), self._next()) if part))

    def _head(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what

    def _next(self) -> str:
        return f"  → {self.remedy}" if self.remedy else ""

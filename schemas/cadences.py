"""When a source gives something: words and the five fields of cron, and the next time that they name."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.errors import UserError

# Words that a contract may write as `source.schedule`; five fields of cron do as well. Times are those of the source.
CADENCES = {"manual": "", "hourly": "5 * * * *", "daily": "0 1 * * *", "weekly": "0 2 * * 1", "monthly": "0 3 1 * *",
            "quarterly": "0 3 1 1,4,7,10 *", "yearly": "0 3 1 1 *"}  # fmt: skip
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
CRON_FIELDS = len(FIELDS)
DAYS = 366 * 8  # the 29th of February is never further away


def cron(schedule: str, where: str) -> str:
    """Return the five fields that a schedule stands for; nothing for `manual`. Raise UserError for one that is no cadence."""
    if schedule in CADENCES:
        return CADENCES[schedule]
    if len(schedule.split()) != CRON_FIELDS:
        raise UserError(f"source.schedule: {schedule!r} is no cadence", where=where,
                        remedy=f"write {', '.join(CADENCES)}, or the five fields of cron")  # fmt: skip
    return schedule


def following(schedule: str, timezone: str, after: datetime, where: str = "source.schedule") -> datetime | None:
    """Return the first instant behind another one that a schedule names, in UTC; None where it names none.

    As cron has it, a day fits by its number or by its day of the week where both are bounded.
    """
    fields = cron(schedule, where).split()
    if not fields:
        return None
    minutes, hours, days, months, weekdays = (_values(text, field, where) for text, field in zip(fields, FIELDS, strict=True))
    zone, start = ZoneInfo(timezone), after.astimezone(ZoneInfo(timezone))
    either = not fields[2].startswith("*") and not fields[4].startswith("*")

    def fits(day: date) -> bool:
        by_number, by_week = day.day in days, day.isoweekday() % 7 in {one % 7 for one in weekdays}
        return day.month in months and (by_number or by_week if either else by_number and by_week)

    for number in range(DAYS):
        day = start.date() + timedelta(days=number)
        if not fits(day):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                found = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
                if found > after:
                    return found
    return None


def _values(text: str, field: tuple[str, int, int], where: str) -> set[int]:
    """Return what a field of cron allows: `*`, numbers, ranges, each with a step."""
    name, low, high = field
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            begin = low if span == "*" else int(first)
            end = high if span == "*" or (step and not dash) else int(last) if dash else begin
            some = set(range(begin, end + 1, int(step or 1)))
        except ValueError:
            some = set()
        if not some or not some <= set(range(low, high + 1)):
            raise UserError(f"source.schedule: {text!r} is no {name} of cron", where=where,
                            remedy=f"write numbers from {low} to {high}, ranges and steps, as in */15 8-18 * * 1-5")  # fmt: skip
        found |= some
    return found

"""What is known of the arrays of deliveries: knowledge.variable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from jobs.deliveries import Parsed
from jobs.integrity import as_sent
from jobs.land import Receipt
from jobs.readers.guards import CHECKED
from schemas.contract import Contract

TABLE = "knowledge.variable"


def rows(contract: Contract, parsed: Sequence[Parsed], receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    """Return rows of knowledge.variable for the deliveries that were read just now.

    What a source declared the SHA-256 of came as it was sent, whatever the file itself carries.
    """
    now = datetime.now(UTC)
    sums = {one.delivery_id: as_sent(one) for one in receipts}
    return [
        {**row, "delivery_id": one.delivery, "table_name": contract.table, "read_at": now,
         "integrity": CHECKED if row["integrity"] and sums.get(one.delivery) else row["integrity"]}
        for one in parsed if one.fresh and not one.refused for row in one.around.get("variables", [])
    ]  # fmt: skip

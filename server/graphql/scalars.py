"""Custom scalars."""

from __future__ import annotations

from typing import NewType

import strawberry
from strawberry.schema.config import StrawberryConfig

from kg.dates import parse_partial

PartialDate = NewType("PartialDate", str)


def _parse(value: object) -> PartialDate:
    if not isinstance(value, str):
        raise ValueError(f'A date is a string such as "2024-02-22", not {value!r}.')  # noqa: TRY004 - graphql-core expects it
    parse_partial(value)
    return PartialDate(value)


PARTIAL_DATE = strawberry.scalar(
    name="PartialDate",
    description="A date known to the day, the month or the year: 2024-02-22, 2024-02 or 2024 (ISO 8601).",
    serialize=str,
    parse_value=_parse,
    specified_by_url="https://www.iso.org/iso-8601-date-and-time-format.html",
)

CONFIG = StrawberryConfig(scalar_map={PartialDate: PARTIAL_DATE})

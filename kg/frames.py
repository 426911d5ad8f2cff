"""Records as pandas frames, for those who have pandas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kg.errors import BadInput


def frame(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> Any:
    """Return rows as a pandas frame; raises BadInput that says what to install where pandas is missing."""
    try:
        import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise BadInput("Frames need pandas, which is not installed: run `pip install pandas`.") from error
    return pd.DataFrame(list(rows), columns=list(columns))

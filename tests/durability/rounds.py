"""How often a test repeats itself, and at which random moments."""

from __future__ import annotations

import os
import random

VARIABLE = "KG_DURABILITY_ROUNDS"


def is_long() -> bool:
    """Return whether ``python -m tests.durability`` runs."""
    return VARIABLE in os.environ


def rounds(short: int) -> range:
    """Return the rounds of a test: as many as the long form asks for, else ``short``."""
    return range(int(os.environ.get(VARIABLE, short)))


def chance() -> random.Random:
    """Return a source of random moments; the short form always takes the same ones."""
    seed = os.environ.get("KG_DURABILITY_SEED")
    if seed is None:
        seed = str(random.randrange(1 << 32)) if is_long() else "7"
    print(f"seed {seed}")
    return random.Random(int(seed))

"""Relay global ids and cursors: opaque to clients, readable here.

A global id is base64 of ``Type:CURIE``. Wherever an id is asked for, a CURIE will do as well.
A cursor is base64 of ``version tag|key``: it names an item, so it keeps its meaning in any ordering,
and it names the version, so a cursor from before a change is refused instead of silently skipping.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from kg.errors import InvalidCursor
from kg.snapshot import Snapshot


@lru_cache(maxsize=200_000)
def global_id(type_: str, curie: str) -> str:
    """Return the Relay global id of a node."""
    return urlsafe_b64encode(f"{type_}:{curie}".encode()).decode().rstrip("=")


def curie_of(id_: str) -> str:
    """Return the CURIE inside a global id; anything else is taken for a CURIE itself."""
    if ":" in id_:  # no global id has one
        return id_
    type_, separator, curie = _decode(id_).partition(":")
    return curie if separator and ":" in curie and type_.isalpha() and type_[:1].isupper() else id_


def cursor(graph: Snapshot, key: str) -> str:
    """Return the cursor of the item with a key in this version of the graph."""
    return urlsafe_b64encode(f"{graph.version.tag}|{key}".encode()).decode().rstrip("=")


def key_of(graph: Snapshot, text: str, argument: str) -> str:
    """Return the key inside a cursor; raises InvalidCursor where it is none or of another version."""
    tag, separator, key = _decode(text).partition("|")
    if not separator or not key:
        raise InvalidCursor(
            f"The argument {argument} is {text!r}, which is no cursor. Use pageInfo.endCursor or the cursor of an edge."
        )
    if tag != graph.version.tag:
        number = tag.rpartition("-")[2]
        raise InvalidCursor(
            f"The cursor in {argument} is of version {number} of the graph, which is now at version {graph.version.number}. Start again from the first page."
        )
    return key


def _decode(text: str) -> str:
    try:
        return urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        return ""

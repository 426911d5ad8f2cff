"""Relations in English sentences: “A targets B, which is expressed on Cs, which drive D”."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PAST_OR_MODAL = {"can", "could", "did", "had", "may", "might", "must", "was", "will", "would"}


@dataclass(frozen=True, slots=True)
class Verb:
    """What is said between two names: the phrase, and the phrase that says the same from the other end."""

    phrase: str
    inverse: str
    remark: str = ""


def chain(names: Sequence[str], verbs: Sequence[Verb]) -> str:
    """Return a sentence that says ``verbs`` between ``names``, of which there is one more, each as in ``agreeing``."""
    nouns = agreeing(names, verbs)
    links = [f"{verb.phrase}{verb.remark} {noun}" for verb, noun in zip(verbs, nouns[1:], strict=True)]
    return f"{nouns[0]} {', which '.join(links)}"


def agreeing(names: Sequence[str], verbs: Sequence[Verb]) -> list[str]:
    """Return ``names`` as they stand before, between and after ``verbs``.

    Each is in the number of the verb that follows it, the last in the number of the verb that would follow it from
    the other end. ``server/web/src/wording.ts`` does the same for what is drawn in a browser.
    """
    ruling = [*(verb.phrase for verb in verbs), verbs[-1].inverse]
    return [numbered(name, phrase) for name, phrase in zip(names, ruling, strict=True)]


def kind_chain(kinds: Sequence[str], verbs: Sequence[Verb]) -> str:
    """Return the same of kinds: “the therapy depletes cell populations, which drive the disease”.

    The ends are what was asked about, so they take “the”; what stands between is any, or another where its kind was
    named before or is that of the far end.
    """
    middle = [_between(kinds, at, verbs[at].phrase) for at in range(1, len(kinds) - 1)]
    last = f"the other {kinds[-1]}" if kinds[-1] == kinds[0] else f"the {kinds[-1]}"
    return chain([f"the {kinds[0]}", *middle, last], verbs)


def numbered(label: str, phrase: str) -> str:
    """Return a label in the number that the phrase after it has: “plasma cells” before “drive”."""
    return plural(label) if is_plural(phrase) else label


def is_plural(phrase: str) -> bool:
    """Whether an English verb phrase has a plural subject: its verb is in the present and has no -s."""
    verb = phrase.partition(" ")[0].lower()
    return bool(verb) and verb not in PAST_OR_MODAL and (not verb.endswith("s") or verb.endswith("ss"))


def plural(label: str) -> str:
    """Return “plasma cells” for “plasma cell”, and “lymphocytes of B lineage” for “lymphocyte of B lineage”."""
    head, of, rest = label.partition(" of ")
    if of:
        return f"{plural(head)}{of}{rest}"
    if not label[-1:].isalpha() or not label[-1:].islower() or label.endswith("s"):
        return label
    if label.endswith("y") and label[-2:-1] not in "aeiou":
        return f"{label[:-1]}ies"
    return f"{label}s"


def _between(kinds: Sequence[str], at: int, phrase: str) -> str:
    kind = kinds[at]
    again = kind in kinds[:at] or kind == kinds[-1]
    if is_plural(phrase):
        return f"other {kind}" if again else kind
    article = "another" if again else "an" if kind[:1].lower() in "aeiou" else "a"
    return f"{article} {kind}"

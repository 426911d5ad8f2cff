"""Identifiers: do they exist, are they current, are they of the right kind, is an entity there twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

from rapidfuzz import fuzz, process
from rdflib.namespace import SKOS

from kg.diagnostics import Diagnostic
from kg.facts import LABEL, World
from kg.model import Kind
from kg.reference import Table

XREF, BROADER, SYNONYM = str(SKOS.exactMatch), str(SKOS.broadMatch), str(SKOS.altLabel)
ALMOST = 92  # similarity of two labels, in per cent, from which they may name one thing
BLOCK = 64  # labels compared with one another at most; beyond it only neighbours in the alphabet are


class Identifiers(World):
    """What is wrong with CURIEs and labels."""

    def identifier(self, subject: str, kind: Kind) -> Iterator[Diagnostic]:
        """Check the identifier of an entity against its kind and the table of its prefix."""
        curie = self.name(subject)
        prefix = curie.partition(":")[0]
        if kind.id_prefixes and prefix not in kind.id_prefixes:
            message = f"{curie}: a {kind.name} has an identifier with the prefix {', '.join(kind.id_prefixes)}"
            others = [k.name for k in self.model.kinds if prefix in k.id_prefixes]
            hint = f"The prefix {prefix} is for a {' or '.join(others)}." if others else ""
            yield self.say("error", "wrong-prefix", subject, message, hint)
            return
        table = self.reference.table(curie) if self.reference else None
        if table and self.reference:
            term = self.reference.term(curie)
            if term is None:
                yield self.unknown(subject, curie, table)
            elif term.obsolete:
                yield self.obsolete(subject, curie, term)
            else:
                yield from self.label(subject, curie, term, table)

    def unknown(self, subject: str, curie: str, table: Table) -> Diagnostic:
        """Report an identifier that its table does not hold."""
        severity = "error" if table.complete else "warning"
        partial = f" (a partial table of {table.prefix} {table.version}; `kg reference build` makes a full one)"
        message = f"{curie} is not in the reference table{'' if table.complete else partial}"
        return self.say(severity, "unknown-identifier", subject, message, self.by_label(table.terms, subject))

    def obsolete(self, subject: str, curie: str, term: Any) -> Diagnostic:
        """Report an obsolete identifier, with what replaced it."""
        hint = f"Use {term.replaced_by}." if term.replaced_by else "It has no replacement; look the concept up anew."
        replacement = self.reference.term(term.replaced_by) if self.reference and term.replaced_by else None
        if replacement:
            hint = f"Use {replacement.curie} {replacement.label}."
        return self.say("error", "obsolete-identifier", subject, f"{curie} ({term.label}) is obsolete", hint)

    def label(self, subject: str, curie: str, term: Any, table: Table) -> Iterator[Diagnostic]:
        """Report a label that is not the official one."""
        for label in self.values(subject, LABEL):
            if label != term.label:
                message = f"{curie} is labelled {label!r} here and {term.label!r} in {table.prefix} {table.version}"
                hint = "Use the official label; other names go into skos:altLabel."
                owner = self.by_label(table.terms, subject) if fuzz.ratio(label, term.label) < 60 else ""
                yield self.say("warning", "label-mismatch", subject, message, f"{hint} {owner}".strip())

    def by_label(self, terms: Mapping[str, Any], subject: str) -> str:
        """Return the identifiers whose label is like the subject's, as a hint."""
        labels = self.table_labels(next(iter(terms), "").partition(":")[0], terms)
        near = [
            m
            for label in self.values(subject, LABEL)
            for m in process.extract(label, list(labels), limit=2, score_cutoff=85)
        ]
        return f"Did you mean {' or '.join(f'{labels[match]} {match}' for match, *_ in near)}?" if near else ""

    def table_labels(self, prefix: str, terms: Mapping[str, Any]) -> dict[str, str]:
        """Return label -> identifier of a table, current ones only."""
        if prefix not in self._labels:
            self._labels[prefix] = {term.label: curie for curie, term in terms.items() if not term.obsolete}
        return self._labels[prefix]

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        return {}

    # -------------------------------------------------------------- identifiers that are referred to
    def references(self, subject: str) -> Iterator[Diagnostic]:
        """Check the cross-references of an entity against their tables."""
        for predicate in (XREF, BROADER):
            for iri in self.values(subject, predicate):
                yield from self.mention(subject, self.name(iri), predicate)

    def mention(self, subject: str, curie: str, predicate: str) -> Iterator[Diagnostic]:
        """Check one cross-reference."""
        table = self.reference.table(curie) if self.reference else None
        term = self.reference.term(curie) if self.reference else None
        where = f"{self.name(subject)}: {self.name(predicate)} {curie}"
        if term and term.obsolete:
            hint = f"Use {term.replaced_by}." if term.replaced_by else ""
            yield self.say("error", "obsolete-identifier", subject, f"{where} ({term.label}) is obsolete", hint)
        elif table and table.complete and term is None:
            message = f"{where} is not in {table.prefix} {table.version}"
            yield self.say("error", "unknown-identifier", subject, message, "Check the number.")

    # -------------------------------------------------------------- one thing under two names
    def identities(self, subject: str, kind: Kind) -> Iterator[Diagnostic]:
        """Look for another entity that says it is the same, or has almost the same label."""
        for xref in self.values(subject, XREF):
            others = [s for s in self.by_xref[xref] if s != subject]
            if others:
                message = f"{self.name(subject)} and {self.name(others[0])} both say they are {self.name(xref)}"
                hint = "Keep one of them, or let the wider one have skos:broadMatch."
                yield self.say("warning", "near-duplicate", subject, message, hint)
        for label in self.values(subject, LABEL):
            other = self.twin(subject, kind.name, label)
            if other:
                message = f"{self.name(subject)} {label!r} has almost the same name as {self.name(other)} {self.label_of(other)!r}"
                hint = "If they are one thing, keep one and make the other name a skos:altLabel."
                yield self.say("warning", "near-duplicate", subject, message, hint)

    def twin(self, subject: str, kind: str, label: str) -> str | None:
        """Return an entity with almost the same label, if there is one."""
        block = self.by_shape.get(_shape(kind, label), [])
        if len(block) > BLOCK:
            at = next((i for i, (_, iri) in enumerate(block) if iri == subject), 0)
            block = block[max(0, at - BLOCK // 2) : at + BLOCK // 2]
        plain = _plain(label)
        found = (iri for text, iri in block if iri != subject and fuzz.ratio(plain, text, score_cutoff=ALMOST))
        return next((iri for iri in found if not (self.official(iri) and self.official(subject))), None)

    def label_of(self, iri: str) -> str:
        """Return the label of an entity that has one."""
        return self.others[iri].label if iri in self.others else self.values(iri, LABEL)[0]

    def official(self, iri: str) -> bool:
        """Whether an identifier is in a reference table: an ontology that has both of two names holds them apart."""
        return bool(self.reference and self.reference.term(self.name(iri)))

    @cached_property
    def by_shape(self) -> dict[tuple[str, str, str], list[tuple[str, str]]]:
        """Labels in blocks outside which no two are almost the same: by kind, digits and first letter."""
        blocks: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
        for subject in self.facts:
            for kind in self.kinds(subject):
                for label in self.values(subject, LABEL):
                    blocks[_shape(kind.name, label)].append((_plain(label), subject))
        for iri, kind_name, label in self.others.values():
            blocks[_shape(kind_name, label)].append((_plain(label), iri))
        return {key: sorted(block) for key, block in blocks.items()}

    @cached_property
    def by_xref(self) -> dict[str, list[str]]:
        """Return cross-reference -> the entities that have it."""
        index: dict[str, list[str]] = defaultdict(list)
        for subject in self.facts:
            for xref in self.values(subject, XREF):
                index[xref].append(subject)
        return index


_BETWEEN, _WORDS = re.compile(r"[\W_]+"), re.compile(r"\w+")


@lru_cache(maxsize=1 << 16)
def _plain(label: str) -> str:
    return _BETWEEN.sub("", label.casefold())


@lru_cache(maxsize=1 << 16)
def _shape(kind: str, label: str) -> tuple[str, str, str]:
    """Return what labels of one thing share: CD19 is not CD20 and CAR is not CAAR, so numbers and capitals must agree."""
    codes = [word for word in _WORDS.findall(label) if word.isupper() or any(char.isdigit() for char in word)]
    return kind, " ".join(codes), _plain(label)[:1]

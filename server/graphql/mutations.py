"""The mutations: ``applyChanges`` and ``revert``."""

from __future__ import annotations

from typing import Any

import strawberry

from server.graphql.diffs import DiffView
from server.graphql.history import History, VersionView
from server.graphql.impacts import ImpactView, impact_type
from server.graphql.members import fill, given, listed, make_enum, member, nullable, plain
from server.graphql.paging import start_clock
from server.graphql.request import Request
from server.graphql.uploads import Upload
from server.graphql.writing import MAX_DIAGNOSTICS, Order, Outcome, Undo

FORMATS = {
    "TURTLE": ("ttl", "Turtle."),
    "TRIG": ("trig", "TriG; its named graphs are merged."),
    "N_TRIPLES": ("nt", "N-Triples."),
    "N_QUADS": ("nq", "N-Quads; its named graphs are merged."),
    "JSON_LD": ("jsonld", "JSON-LD; a context elsewhere is not fetched."),
    "RDF_XML": ("rdf", "RDF/XML."),
    "TSV": ("tsv", "A table with one row for each piece of evidence; `kg new table` writes an empty one."),
}


class Mutations:
    """Makes the root of mutations."""

    def __init__(self, history: History, status: Any) -> None:
        """``status`` is the type of what the graph says of a pair."""
        self.history = history
        self.impact = impact_type(history.diffs, status)
        self.format = make_enum(
            "SourceFormat", [(name, said) for name, (_, said) in FORMATS.items()], "What a source is written in."
        )
        self.payload = self._payload()

    def type(self) -> Any:
        """Return the root of mutations."""
        members = {"apply_changes": self._apply(), "revert": self._revert()}
        said = "What changes the graph. Each needs a token of role curator or admin, and goes by POST."
        return strawberry.type(fill(type("Mutation", (), {}), members), name="Mutation", description=said)

    # -------------------------------------------------------------- what comes back
    def _payload(self) -> Any:
        severity = make_enum(
            "Severity",
            [("ERROR", "It keeps the change from being made."), ("WARNING", "It does not.")],
            "How bad it is.",
        )
        found = {
            "severity": member(severity, "How bad it is.", lambda self: self.severity.upper()),
            "code": member(str, "Short name of the rule."),
            "message": member(str, "What is wrong."),
            "hint": member(
                str | None, "What to do about it, or what may have been meant.", lambda self: self.hint or None
            ),
            "source": member(str, "Name of the source."),
            "line": member(int | None, "Line in the submitted text, from 1."),
            "column": member(int | None, "Column in the submitted text, from 1."),
            "subject": member(str | None, "Identifier of what it is about.", lambda self: self.subject or None),
        }
        diagnostic = strawberry.type(
            fill(type("Diagnostic", (), {}), found), name="Diagnostic", description="One finding about submitted data."
        )
        members = {
            "ok": member(
                bool, "Whether the change was made, or with dryRun could be; false where a diagnostic is an error."
            ),
            "change_set": member(
                nullable(self.history.change_set), "The change set; null where nothing was changed.", name="changeSet"
            ),
            "diff": member(
                nullable(self.history.diff),
                "What the change means, made or not; null where a diagnostic is an error.",
                _diff_of,
            ),
            "impact": member(
                nullable(self.impact),
                "Which confidences, hypotheses and ranks the change moves; null where a diagnostic is an error.",
                _impact_of,
            ),
            "version": member(self.history.version, "The graph afterwards.", lambda self: VersionView(self.graph)),
            "diagnostics": member(
                listed(diagnostic),
                f"Every finding about the data, by place; at most {MAX_DIAGNOSTICS:,}.",
                lambda self: list(self.diagnostics[:MAX_DIAGNOSTICS]),
            ),
        }
        said = "What became of a change. Mistakes in the data are diagnostics here, not errors of the request."
        return strawberry.type(fill(type("ChangesPayload", (), {}), members), name="ChangesPayload", description=said)

    # -------------------------------------------------------------- fields
    def _apply(self) -> Any:
        def apply_changes(self: Request, input: Any) -> Payload:
            return _done(self, lambda writer, who: writer.apply(order_of(input), who))

        said = "Check sources and apply them as one atomic change set; a source replaces what it said before, and nothing else."
        return member(
            self.payload,
            said,
            apply_changes,
            maker=strawberry.mutation,
            input=(self._input(), "What to change, and why."),
        )

    def _revert(self) -> Any:
        def revert(
            self: Request,
            change_set: int,
            message: str,
            expected_version: int | None = None,
            dry_run: bool = False,
            client_change_id: str | None = None,
        ) -> Payload:
            undo = Undo(change_set, message, expected_version, dry_run, client_change_id)
            return _done(self, lambda writer, who: writer.revert(undo, who))

        said = "Undo a change set by a new one; an error with code CONFLICT where later changes rest on it."
        return member(
            self.payload,
            said,
            revert,
            maker=strawberry.mutation,
            change_set=(int, "Version of the change set to undo."),
            message=(str, "Why; kept in the history."),
            expected_version=(int | None, "Version the graph must be at; an error with code CONFLICT where it is not."),
            dry_run=(bool, "Only say what would change."),
            client_change_id=(str | None, CHANGE_ID),
        )

    def _input(self) -> Any:
        def input_(name: str, said: str, fields: dict[str, tuple[Any, Any, str]]) -> Any:
            members = {
                attribute: (
                    type_,
                    strawberry.field(description=text, **({} if default is REQUIRED else {"default": default})),
                )
                for attribute, (type_, default, text) in fields.items()
            }
            return strawberry.input(fill(type(name, (), {}), members), name=name, description=said)

        unset = strawberry.UNSET
        file = input_(
            "SourceInput",
            "One source among several.",
            {
                "source": (str, REQUIRED, "Name of the source, such as its file name."),
                "format": (self.format, REQUIRED, "What it is written in."),
                "content": (str, REQUIRED, "Its text."),
            },
        )
        return input_(
            "ChangesInput",
            "A change: one source in source, format and content, or several in files.",
            {
                "source": (nullable(str), unset, "Name of the source, such as its file name."),
                "format": (nullable(self.format), unset, "What it is written in; Turtle if left out."),
                "content": (nullable(str), unset, "Its text, which replaces what the source said before."),
                "files": (nullable(listed(file)), unset, "More sources to apply in the same change set."),
                "remove": (nullable(listed(str)), unset, "Names of sources to take out of the graph."),
                "message": (str, REQUIRED, "Why; kept in the history."),
                "expected_version": (
                    nullable(int),
                    unset,
                    "Version the change was made for; an error with code CONFLICT where the graph has moved on.",
                ),
                "dry_run": (bool, False, "Only say what would change and what is wrong."),
                "client_change_id": (
                    nullable(str),
                    unset,
                    CHANGE_ID,
                ),
            },
        )


REQUIRED = object()
CHANGE_ID = "A name of the client's choice for this change: sent again, it is not made again."


def order_of(input_: Any) -> Order:
    """Return the order in an input object."""
    name, content = given(input_, "source"), given(input_, "content")
    uploads = [_upload(file.source, file.format, file.content) for file in given(input_, "files") or ()]
    if content is not None:
        uploads.insert(0, _upload(name or "", given(input_, "format"), content))
    return Order(
        uploads,
        list(given(input_, "remove") or ()),
        input_.message,
        given(input_, "expected_version"),
        input_.dry_run,
        given(input_, "client_change_id"),
    )


def _upload(name: str, format_: Any, content: str) -> Upload:
    return Upload(name, FORMATS[plain(format_)][0] if format_ else "ttl", content)


def _diff_of(self: Any) -> Any:
    outcome: Outcome = self.outcome
    if outcome.diff is None:
        return None
    after = outcome.change_set.version if outcome.change_set else None
    return DiffView(outcome.diff, self.request, outcome.before, after)


def _impact_of(self: Any) -> Any:
    outcome: Outcome = self.outcome
    return ImpactView(outcome.impact(), self.request) if outcome.impact else None


class Payload:
    """What ``ChangesPayload`` reads."""

    __slots__ = ("outcome", "request")

    def __init__(self, outcome: Outcome, request: Request) -> None:
        self.outcome, self.request = outcome, request

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outcome, name)


def _done(request: Request, work: Any) -> Payload:
    """Carry out a mutation and move the request on to the graph it made."""
    request.identity.require("curator", "Writing")
    if request.writer is None:
        raise RuntimeError("this request cannot write")
    try:
        outcome: Outcome = work(request.writer, request.identity)
    finally:
        request.graph = request.service.snapshot
        start_clock(request.settings.request_seconds)  # the answer gets its own time: the change is made
    return Payload(outcome, request)

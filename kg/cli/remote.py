"""Working through the service that holds a data folder, so that a command need not stop it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pyoxigraph import RdfFormat, Triple, parse, serialize

from kg.changes import ChangeSet
from kg.cli.answers import CHANGE_SET, change_set, diff_fields, diff_said, made, payload_fields
from kg.cli.outcomes import Made
from kg.diff import GraphDiff
from kg.errors import BadInput, CheckFailed, StoreError, SyntaxProblem
from kg.presence import Presence, find
from kg.reading import files_under, read_parts
from kg.store import source_name

SECONDS = 600  # a change waits for those before it
ATTEMPTS, PAUSE = 3, 1.0  # of a change whose answer did not come: its name lets the service know it again
PAGE = 500  # change sets that are asked for at a time
FORMATS = {
    "ttl": "TURTLE", "trig": "TRIG", "nt": "N_TRIPLES", "nq": "N_QUADS", "jsonld": "JSON_LD",
    "rdf": "RDF_XML", "xml": "RDF_XML", "owl": "RDF_XML", "tsv": "TSV",
}  # fmt: skip
_APPLY = "mutation($input: ChangesInput!) {{ done: applyChanges(input: $input) {{ {} }} }}"
_REVERT = (
    "mutation($changeSet: Int!, $message: String!, $expectedVersion: Int, $dryRun: Boolean!, $clientChangeId: String) "
    "{{ done: revert(changeSet: $changeSet, message: $message, expectedVersion: $expectedVersion, dryRun: $dryRun, "
    "clientChangeId: $clientChangeId) {{ {} }} }}"
)
_HISTORY = (
    "query($first: Int!, $after: String) { history(first: $first, after: $after) "
    f"{{ nodes {{ {CHANGE_SET} }} pageInfo {{ hasNextPage endCursor }} }} }}"
)
_SHOW = f"query($version: Int!, $before: Int!) {{ changeSet(version: $version) {{ {CHANGE_SET} }} diff(from: $before, to: $version) {{ {diff_fields()} }} }}"
_DIFF = f"query($first: Int!, $second: Int!) {{ diff(from: $first, to: $second) {{ {diff_fields()} }} }}"


@dataclass(frozen=True, slots=True)
class RemoteService:
    """A running service that lets this machine's own user write."""

    presence: Presence

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.presence.url

    # -------------------------------------------------------------- changing
    def load(
        self,
        files: Sequence[tuple[str, Path]],
        *,
        message: str,
        author: str,
        remove: Sequence[str] = (),
        expected_version: int | None = None,
        dry_run: bool = False,
    ) -> Made:
        """Load files, each under a name, as one change set; raises CheckFailed for what is wrong in them.

        An export is sent as the files that it holds.
        """
        given = [source for name, path in files for source in _sources(name, path)]
        input_ = {
            "files": given,
            "remove": list(remove),
            "message": message,
            "expectedVersion": expected_version,
            "dryRun": dry_run,
            "clientChangeId": uuid.uuid4().hex,
        }
        return self._change(_APPLY.format(payload_fields(dry_run=dry_run)), {"input": input_}, author)

    def revert(
        self, version: int, *, message: str, author: str, expected_version: int | None = None, dry_run: bool = False
    ) -> Made:
        """Undo a change set by a new one; raises StoreError, with the service's reason, where it cannot be."""
        variables = {
            "changeSet": version,
            "message": message,
            "expectedVersion": expected_version,
            "dryRun": dry_run,
            "clientChangeId": uuid.uuid4().hex,
        }
        return self._change(_REVERT.format(payload_fields(dry_run=dry_run)), variables, author)

    def _change(self, query: str, variables: dict[str, Any], author: str) -> Made:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                payload = self._ask(query, variables, author)["done"]
                break
            except _NoAnswer as error:
                if attempt == ATTEMPTS:
                    raise StoreError(
                        f"{error} Whether the change was made shows in `kg history`; doing it again is safe."
                    ) from error
                time.sleep(PAUSE)
        found = made(payload)
        if not payload["ok"]:
            raise CheckFailed(list(found.warnings))
        return found

    # -------------------------------------------------------------- reading
    def history(self) -> list[ChangeSet]:
        """Return the change sets, newest first."""
        found: list[ChangeSet] = []
        after: str | None = None
        while True:
            page = self.ask(_HISTORY, {"first": PAGE, "after": after})["history"]
            found += map(change_set, page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    def show(self, version: int) -> tuple[ChangeSet, GraphDiff]:
        """Return a change set and what it meant."""
        answer = self.ask(_SHOW, {"version": version, "before": version - 1})
        return change_set(answer["changeSet"]), diff_said(answer["diff"])

    def diff(self, first: int, second: int) -> GraphDiff:
        """Return how one version differs from another."""
        return diff_said(self.ask(_DIFF, {"first": first, "second": second})["diff"])

    def held(self) -> tuple[str, dict[str, int]]:
        """Return what the service holds in a line, and how many entities of each kind."""
        answer = self.ask("{ version { number entities edges } metagraph { kinds { label count } } }")
        version = answer["version"]
        said = f"version {version['number']}: {version['entities']} entities, {version['edges']} edges"
        kinds = {kind["label"]: kind["count"] for kind in answer["metagraph"]["kinds"]}
        return f"{said}, served at {self.url}", kinds

    def export(self, format_: str, at: int | None = None) -> bytes:
        """Return a version of the graph in a format; raises StoreError with what the service says against it."""
        asked = urlencode({"format": format_, **({} if at is None else {"at": at})})
        return self._fetch(urllib.request.Request(f"{self._root}export?{asked}", headers=self._headers()))  # noqa: S310

    def triples_except(self, names: Collection[str]) -> list[Triple]:
        """Return every triple that a source file states, but for the named files."""
        quads = parse(self.export("nq"), format=RdfFormat.N_QUADS)
        return [quad.triple for quad in quads if source_name(getattr(quad.graph_name, "value", "")) not in names]

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the data of the answer to a query; raises StoreError with what the service says against it."""
        found: dict[str, Any] = self._ask(query, variables or {}, "")
        return found

    # -------------------------------------------------------------- asking
    @property
    def _root(self) -> str:
        return self.url.removesuffix("graphql")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.presence.key}"}

    def _ask(self, query: str, variables: dict[str, Any], author: str) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {**self._headers(), "Content-Type": "application/json", "X-KG-Author": quote(author)}
        answer = _json(self._fetch(urllib.request.Request(self.url, body, headers)))  # noqa: S310
        if answer.get("errors"):
            raise StoreError(f"The service at {self.url} says: {answer['errors'][0]['message']}")
        return answer["data"]

    def _fetch(self, request: urllib.request.Request) -> bytes:
        """Return the body of an answer; raises StoreError where there is none, or where it refuses."""
        try:
            with _opener().open(request, timeout=SECONDS) as response:
                found: bytes = response.read()
                return found
        except urllib.error.HTTPError as error:
            with error:
                answer = _json(error.read())
            raise StoreError(f"The service at {self.url} says: {answer['errors'][0]['message']}") from error
        except (OSError, HTTPException) as error:
            raise _NoAnswer(f"The service at {self.url} did not answer ({error}).") from error


class _NoAnswer(StoreError):
    """The service was asked, and whether it did what it was asked is not known."""


def running_service(data: Path) -> RemoteService | None:
    """Return the service that serves a data folder, or None where none answers."""
    presence = find(data)
    if presence is None:
        return None
    ready = presence.url.removesuffix("graphql") + "ready"
    try:
        with _opener().open(ready, timeout=5):
            return RemoteService(presence)
    except OSError:  # starting, stopping, or not the one it was: the store's lock will tell
        return None


def named_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return the files under paths, each with its name in the graph: its path below the folder it was found in."""
    found = [(file, root) for root in paths for file in files_under([root])]
    return [(file, file.relative_to(root).as_posix() if root.is_dir() else file.name) for file, root in found]


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands between us and ourselves


def _sources(name: str, path: Path) -> list[dict[str, str]]:
    """Return a file as the service takes it; an export as the files that it holds."""
    ending = path.suffix[1:].lower()
    if ending not in FORMATS:
        raise BadInput(f"{path} has an unknown ending; known are {', '.join('.' + known for known in FORMATS)}.")
    if ending in {"nq", "trig"}:
        with suppress(SyntaxProblem):  # the service will say so
            parts = read_parts(path, name)
            if [part.name for part in parts] != [name]:
                return [{"source": p.name, "format": "N_TRIPLES", "content": _lines(p.triples)} for p in parts]
    return [{"source": name, "format": FORMATS[ending], "content": _text(path)}]


def _lines(triples: Sequence[Triple]) -> str:
    return (serialize(triples, format=RdfFormat.N_TRIPLES) or b"").decode()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not valid UTF-8 (byte {error.start + 1}); save the file as UTF-8.") from error


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return {"errors": [{"message": raw[:500].decode(errors="replace")}]}

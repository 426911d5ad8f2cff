"""Changing a graph through the service that holds its data folder, so that a command need not stop it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import click

from kg.cli.diffs import SIGNS, show_diff
from kg.diagnostics import Diagnostic
from kg.diff import AssertionChange, EntityChange, EntityRef, FieldChange, GraphDiff
from kg.errors import BadInput, CheckFailed, StoreError
from kg.presence import Presence, find
from kg.reading import files_under

SECONDS = 600  # a change waits for those before it
LISTED = 100  # items of each part of a diff that are asked for
FORMATS = {
    "ttl": "TURTLE", "trig": "TRIG", "nt": "N_TRIPLES", "nq": "N_QUADS", "jsonld": "JSON_LD",
    "rdf": "RDF_XML", "xml": "RDF_XML", "owl": "RDF_XML", "tsv": "TSV",
}  # fmt: skip
_EVIDENCE = "direction level date source { citation }"
_ASSERTION = (
    "id subject { curie label kind } relation object { curie label kind } confidenceBefore confidenceAfter "
    f"evidenceAdded {{ {_EVIDENCE} }} evidenceRemoved {{ {_EVIDENCE} }}"
)
_PARTS = {
    "entitiesAdded": "curie label kind",
    "entitiesChanged": "entity { curie label kind } fields { name before after }",
    "entitiesRemoved": "curie label kind",
    "assertionsAdded": _ASSERTION,
    "assertionsChanged": _ASSERTION,
    "assertionsRemoved": _ASSERTION,
}
_COUNTS = [f"{noun}{verb.capitalize()}" for noun in ("entities", "assertions", "sources") for verb in SIGNS]
_PAYLOAD = f"""
  ok version {{ number entities }} changeSet {{ version added removed }}
  diagnostics {{ severity code message hint source line column subject }}
  diff {{
    counts {{ {" ".join(_COUNTS)} evidenceAdded evidenceRemoved }}
    {" ".join(f"{name}(first: {LISTED}) {{ {fields} }}" for name, fields in _PARTS.items())}
  }}
"""
APPLY = f"mutation($input: ChangesInput!) {{ done: applyChanges(input: $input) {{ {_PAYLOAD} }} }}"
REVERT = (
    "mutation($changeSet: Int!, $message: String!, $dryRun: Boolean!) "
    f"{{ done: revert(changeSet: $changeSet, message: $message, dryRun: $dryRun) {{ {_PAYLOAD} }} }}"
)


@dataclass(frozen=True, slots=True)
class Made:
    """What the service answered: the graph's version afterwards, the change set's, its quads, and what it means."""

    version: int
    change_set: int | None
    added: int
    removed: int
    diff: GraphDiff
    warnings: Sequence[Diagnostic]


@dataclass(frozen=True, slots=True)
class RemoteService:
    """A running service that lets this machine's own user write."""

    presence: Presence

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.presence.url

    def load(
        self,
        files: Sequence[tuple[str, Path]],
        *,
        message: str,
        author: str,
        remove: Sequence[str] = (),
        dry_run: bool = False,
    ) -> Made:
        """Load files, each under a name, as one change set; raises CheckFailed for what is wrong in them."""
        given = [{"source": name, "format": _format(path), "content": _text(path)} for name, path in files]
        input_ = {"files": given, "remove": list(remove), "message": message, "dryRun": dry_run}
        return self._change(APPLY, {"input": input_}, author)

    def revert(self, version: int, *, message: str, author: str, dry_run: bool = False) -> Made:
        """Undo a change set by a new one; raises StoreError, with the service's reason, where it cannot be."""
        return self._change(REVERT, {"changeSet": version, "message": message, "dryRun": dry_run}, author)

    def _change(self, query: str, variables: dict[str, Any], author: str) -> Made:
        answer = self._ask(query, variables, author)
        payload = answer["done"]
        found = [_diagnostic(row) for row in payload["diagnostics"]]
        if not payload["ok"]:
            raise CheckFailed(found)
        change = payload["changeSet"] or {"version": None, "added": 0, "removed": 0}
        diff = _diff(payload["diff"]) if payload["diff"] else GraphDiff()
        return Made(payload["version"]["number"], change["version"], change["added"], change["removed"], diff, found)

    def _ask(self, query: str, variables: dict[str, Any], author: str) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.presence.key}",
            "X-KG-Author": quote(author),
        }
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310 - an address from our own data folder
        try:
            with _opener().open(request, timeout=SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                answer = _json(error.read())
        except (OSError, ValueError) as error:
            raise StoreError(
                f"The service at {self.url} did not answer ({error}). Whether the change was made shows in `kg history`; "
                "loading again is safe."
            ) from error
        if answer.get("errors"):
            raise StoreError(f"The service at {self.url} says: {answer['errors'][0]['message']}")
        return answer["data"]


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


def load_through(
    service: RemoteService,
    paths: Sequence[Path],
    *,
    message: str,
    author: str,
    remove: Sequence[str],
    dry_run: bool,
    every: bool,
) -> None:
    """Load files through a running service and say what came of it, as ``kg load`` does."""
    files = [(name, path) for path, name in named_files(paths)]
    names = ", ".join(name for name, _ in files[:3]) + (" …" if len(files) > 3 else "")
    made = service.load(files, message=message or f"load {names}", author=author, remove=remove, dry_run=dry_run)
    _say(service, made, dry_run=dry_run, every=every)


def revert_through(
    service: RemoteService, version: int, *, message: str, author: str, dry_run: bool, every: bool
) -> None:
    """Undo a change set through a running service and say what came of it, as ``kg revert`` does."""
    made = service.revert(version, message=message or f"undo version {version}", author=author, dry_run=dry_run)
    _say(service, made, dry_run=dry_run, every=every)


def _say(service: RemoteService, made: Made, *, dry_run: bool, every: bool) -> None:
    for warning in made.warnings:
        click.echo(str(warning), err=True)
    show_diff(made.diff, every=every)
    if dry_run:
        click.echo("Nothing was changed.")
    elif made.change_set is None:
        click.echo(f"Nothing changed: the store at version {made.version} already says all that.")
    else:
        counts = f"{made.added:,} quads added, {made.removed:,} removed"
        click.echo(f"Version {made.change_set}: {counts}, through the service at {service.url}.")


def named_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return the files under paths, each with its name in the graph: its path below the folder it was found in."""
    found = [(file, root) for root in paths for file in files_under([root])]
    return [(file, file.relative_to(root).as_posix() if root.is_dir() else file.name) for file, root in found]


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands between us and ourselves


def _format(path: Path) -> str:
    ending = path.suffix[1:].lower()
    if ending not in FORMATS:
        raise BadInput(f"{path} has an unknown ending; known are {', '.join('.' + known for known in FORMATS)}.")
    return FORMATS[ending]


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


# ---------------------------------------------------------------- from JSON to records
def _diagnostic(row: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        row["severity"].lower(),
        row["code"],
        row["message"],
        row["source"],
        row["line"],
        row["column"],
        row["hint"] or "",
        row["subject"] or "",
    )


def _diff(row: dict[str, Any]) -> GraphDiff:
    readers: dict[str, Any] = {"entitiesAdded": _entity, "entitiesRemoved": _entity, "entitiesChanged": _entity_change}
    parts: dict[str, Any] = {_snake(n): tuple(map(readers.get(n, _assertion), row[n])) for n in _PARTS}
    return GraphDiff(**parts, counts={_snake(name): count for name, count in row["counts"].items()})


def _snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name)


def _entity(row: dict[str, Any]) -> EntityRef:
    return EntityRef(row["curie"], row["label"], row["kind"])


def _entity_change(row: dict[str, Any]) -> EntityChange:
    fields = tuple(FieldChange(f["name"], tuple(f["before"]), tuple(f["after"])) for f in row["fields"])
    return EntityChange(_entity(row["entity"]), fields)


def _assertion(row: dict[str, Any]) -> AssertionChange:
    return AssertionChange(
        row["id"],
        _entity(row["subject"]),
        row["relation"],
        _entity(row["object"]),
        tuple(map(_evidence, row["evidenceAdded"])),
        tuple(map(_evidence, row["evidenceRemoved"])),
        row["confidenceBefore"],
        row["confidenceAfter"],
    )


def _evidence(row: dict[str, Any]) -> Any:
    """Return as much of a piece of evidence as a diff shows."""
    source = SimpleNamespace(citation=row["source"]["citation"] or "")
    return SimpleNamespace(
        direction=row["direction"], level=SimpleNamespace(name=row["level"]), date=row["date"], source=source
    )

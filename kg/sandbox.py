"""Parsing what a stranger sent, in a child process that may be killed.

Parsers of RDF recurse, expand entities and keep whole literals in memory; hostile text can make one run
for ever, fill the memory, or crash the process outright (research/stores.md §1). So an upload is parsed
by a child with limits on its memory, processor time and files. It answers in N-Triples, which holds no
surprises, and dies. The child knows nothing of the store and inherits no open file.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, RdfFormat, parse, serialize

from kg.documents import Document, Place, new_document
from kg.errors import LimitExceeded, SyntaxProblem
from kg.model import Model
from kg.reading import FORMATS, name_nodes, read_text

SECONDS, MEGABYTES = 20.0, 512
_HEADER = struct.Struct(">QQ")
_BASE = 160  # MB of address space that Python and the parsers take before they read a byte
_FOLDER = str(Path(__file__).resolve().parent.parent)


def parse_upload(
    data: bytes,
    format_: str,
    name: str,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
    model: Model | None = None,
) -> Document:
    """Return the document in some bytes, through ``name_nodes``; syntax errors are in its ``syntax``.

    Raises LimitExceeded where reading it takes more time or memory than allowed, or crashes the reader,
    and BadInput for an unknown format. A table needs the model that its names come from.
    """
    if format_ not in FORMATS:
        return read_text(data, format_, name)  # says what is known
    with Child(seconds, megabytes) as child:
        return child.parse(data, format_, name, model if FORMATS[format_] is None else None)


@dataclass
class _Answer:
    """What came back from a child."""

    head: dict[str, Any]
    body: bytes


class Child:
    """One process that parses one upload; start it early and it is warm when the upload comes."""

    def __init__(self, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        self.seconds, self.megabytes = seconds, megabytes
        limits = [str(megabytes), str(int(seconds) + 1)]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, _FOLDER, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            env={"PATH": os.environ.get("PATH", ""), "MALLOC_ARENA_MAX": "1"},
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def parse(self, data: bytes, format_: str, name: str, model: Model | None = None) -> Document:
        """Let the child parse; it can do so once."""
        killed = threading.Timer(self.seconds, self._process.kill)
        killed.start()
        try:
            head, words = json.dumps({"format": format_, "name": name}).encode(), pickle.dumps(model)
            out, _ = self._process.communicate(b"".join([_HEADER.pack(len(head), len(words)), head, words, data]))
        finally:
            late = not killed.is_alive()
            killed.cancel()
        if self._process.returncode != 0 or len(out) < _HEADER.size:
            raise self._failure(name, late)
        head, _, body = _parts(out)
        del out  # it may be large, and is there once more in what follows
        return _document(_Answer(json.loads(head), body), data, name)

    def _failure(self, name: str, late: bool) -> LimitExceeded:
        code = self._process.returncode
        if late or code == -signal.SIGXCPU:
            advice = f"{name} could not be read in the time allowed. Send less, or load it from the command line."
            return LimitExceeded("upload seconds", self.seconds, None, advice)
        advice = (
            f"{name} takes more memory to read than allowed, or is nested too deeply (the reader ended with {code}). "
            "Send less, or load it from the command line."
        )
        return LimitExceeded("upload megabytes", self.megabytes, None, advice)


def _parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the parts of a message: a head, the words of a model or nothing, and the rest."""
    first, second = _HEADER.unpack_from(raw)
    middle = _HEADER.size + first
    return raw[_HEADER.size : middle], raw[middle : middle + second], raw[middle + second :]


def _document(answer: _Answer, data: bytes, name: str) -> Document:
    document = new_document(name, data, data.decode("utf-8-sig", errors="replace"))
    document.triples = [quad.triple for quad in parse(answer.body, format=RdfFormat.N_TRIPLES)]
    document.places = {NamedNode(iri): Place(line, column) for iri, line, column in answer.head["places"]}
    document.prefixes = answer.head["prefixes"]
    document.syntax = [SyntaxProblem(name, *problem) for problem in answer.head["syntax"]]
    return document


# ---------------------------------------------------------------- in the child
_START = """
import sys
sys.path.insert(0, sys.argv[1])
from kg.sandbox import child
child(int(sys.argv[2]), int(sys.argv[3]))
"""


def child(megabytes: int, seconds: int) -> None:
    """Parse what comes in on standard input, within limits, and write the answer to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, ((megabytes + _BASE) << 20, (megabytes + _BASE) << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # pipes are not files: it can answer, and write nothing else
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    head, words, data = _parts(sys.stdin.buffer.read())
    asked = json.loads(head)
    model = pickle.loads(words)  # noqa: S301 - it comes from the process that started this one
    answer = _answer(data, asked["format"], asked["name"], model)
    packed = json.dumps(answer.head).encode()
    sys.stdout.buffer.write(_HEADER.pack(len(packed), 0) + packed)
    sys.stdout.buffer.write(answer.body)
    sys.stdout.buffer.flush()
    os._exit(0)  # tearing down what it built would take longer than all the rest


def _answer(data: bytes, format_: str, name: str, model: Model | None) -> _Answer:
    document = read_text(data, format_, name, model, recover=True)
    try:
        document = name_nodes(document)
    except SyntaxProblem as error:
        document.triples, document.syntax = [], [*document.syntax, error]
    places = [(node.value, p.line, p.column) for node, p in document.places.items() if isinstance(node, NamedNode)]
    problems = [(error.reason, error.line, error.column) for error in document.syntax]
    head = {"places": places, "prefixes": dict(document.prefixes), "syntax": problems}
    return _Answer(head, serialize(document.triples, format=RdfFormat.N_TRIPLES) or b"")

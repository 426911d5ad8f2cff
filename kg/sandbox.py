"""Parsing what a stranger sent, in a child process that may be killed.

Parsers of RDF recurse, expand entities and keep whole literals in memory; hostile text can make one run
for ever, fill the memory, or crash the process outright (research/stores.md §1). So an upload is parsed
by a process of its own, with limits on its memory, processor time and files. It answers in N-Triples, which
holds no surprises, and dies. It knows nothing of the store and inherits no open file.

Starting Python takes half a second. So a nursery starts once, reads no upload itself, and forks a reader for
each, which takes milliseconds. After one that failed, the nursery is ended too and the next upload starts another.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from pyoxigraph import NamedNode, RdfFormat, parse, serialize

from kg.documents import Document, Place, new_document
from kg.errors import LimitExceeded, SyntaxProblem
from kg.model import Model
from kg.reading import FORMATS, name_nodes, read_text

SECONDS, MEGABYTES = 20.0, 512
CRASHED, FAILED = 128, 1  # how a nursery ends: with the signal that ended its reader, as shells say it, or this
_HEADER = struct.Struct(">QQQ")
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
    with Nursery(seconds, megabytes) as nursery:
        return nursery.parse(data, format_, name, model)


@dataclass
class _Answer:
    """What came back from a reader."""

    head: dict[str, Any]
    body: bytes


class Nursery:
    """A process that has loaded the parsers and forks a reader for each upload; one upload at a time."""

    def __init__(self, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        self.seconds, self.megabytes = seconds, megabytes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process, if it does not run, so that the next upload finds it warm, and return it."""
        if self._process is None or self._process.poll() is not None:
            limits = [str(self.megabytes), str(int(self.seconds) + 1)]
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, _FOLDER, *limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                close_fds=True,
                start_new_session=True,  # its readers are ended with it
                env={"PATH": os.environ.get("PATH", ""), "MALLOC_ARENA_MAX": "1"},
            )
        return self._process

    def close(self) -> None:
        """End the process and its reader, whatever they are doing."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def parse(self, data: bytes, format_: str, name: str, model: Model | None = None) -> Document:
        """Return the document that a reader made; raises LimitExceeded where it could not."""
        process = self.start()
        head = json.dumps({"format": format_, "name": name}).encode()
        words = pickle.dumps(model if FORMATS[format_] is None else None)
        killed = threading.Timer(self.seconds, os.killpg, (process.pid, signal.SIGKILL))
        killed.start()
        try:
            found = _exchange(process, b"".join([_HEADER.pack(len(head), len(words), len(data)), head, words, data]))
        finally:
            late = not killed.is_alive()
            killed.cancel()
        if found is None:
            code = process.wait()  # it ends with its reader
            self.close()
            raise self._failure(name, late, code)
        return _document(found, data, name)

    def _failure(self, name: str, late: bool, code: int) -> LimitExceeded:
        if late or code == CRASHED + signal.SIGXCPU:
            advice = f"{name} could not be read in the time allowed. Send less, or load it from the command line."
            return LimitExceeded("upload seconds", self.seconds, None, advice)
        advice = (
            f"{name} takes more memory to read than allowed, or is nested too deeply (the reader ended with {code}). "
            "Send less, or load it from the command line."
        )
        return LimitExceeded("upload megabytes", self.megabytes, None, advice)


def _exchange(process: subprocess.Popen[bytes], message: bytes) -> _Answer | None:
    """Return a reader's answer, or None where it gave none."""
    to, from_ = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
    try:
        to.write(message)
        to.flush()
        head, _, body = _parts(from_)
    except (OSError, EOFError):
        return None
    return _Answer(json.loads(head), body)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):  # what it did not take any more
        process.communicate()


def _parts(stream: IO[bytes]) -> tuple[bytes, bytes, bytes]:
    """Return the parts of a message: a head, the words of a model or nothing, and the rest; raises EOFError at its end."""
    first, second, third = _HEADER.unpack(_exactly(stream, _HEADER.size))
    return _exactly(stream, first), _exactly(stream, second), _exactly(stream, third)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    found = bytearray()
    while len(found) < size:  # an unbuffered stream gives what is there
        more = stream.read(size - len(found))
        if not more:
            raise EOFError
        found += more
    return bytes(found)


def _document(answer: _Answer, data: bytes, name: str) -> Document:
    document = new_document(name, data, data.decode("utf-8-sig", errors="replace"))
    document.triples = [quad.triple for quad in parse(answer.body, format=RdfFormat.N_TRIPLES)]
    document.places = {NamedNode(iri): Place(line, column) for iri, line, column in answer.head["places"]}
    document.prefixes = answer.head["prefixes"]
    document.syntax = [SyntaxProblem(name, *problem) for problem in answer.head["syntax"]]
    return document


# ---------------------------------------------------------------- in the nursery and its readers
_START = """
import sys
sys.path.insert(0, sys.argv[1])
from kg.sandbox import nursery
nursery(int(sys.argv[2]), int(sys.argv[3]))
"""


def nursery(megabytes: int, seconds: int) -> None:
    """Fork a reader for each message on standard input; ends after one that failed, and when there are no more."""
    _answer(b"<urn:a> <urn:b> [ <urn:b> <urn:c> ] .", "ttl", "", None)  # what is made ready here, no reader makes
    gc.collect()
    gc.freeze()  # nor does it write to the memory of what there is: 7.6 ms for ten assertions, instead of 9.0
    while select.select([0], [], [])[0]:
        pid = os.fork()
        if pid == 0:
            reader(megabytes, seconds)
        _, status = os.waitpid(pid, 0)
        if status:
            os._exit(CRASHED + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def reader(megabytes: int, seconds: int) -> NoReturn:
    """Parse the message on standard input, within limits, write the answer to standard output, and end."""
    try:
        _read(megabytes, seconds)
    finally:
        os._exit(FAILED)


def _read(megabytes: int, seconds: int) -> NoReturn:
    resource.setrlimit(resource.RLIMIT_AS, ((megabytes + _BASE) << 20, (megabytes + _BASE) << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # pipes are not files: it can answer, and write nothing else
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(0, "rb", buffering=0, closefd=False) as unbuffered:  # for the next message is not its own
        head, words, data = _parts(unbuffered)
    asked = json.loads(head)
    model = pickle.loads(words)  # noqa: S301 - it comes from the process that started this one
    answer = _answer(data, asked["format"], asked["name"], model)
    packed = json.dumps(answer.head).encode()
    sys.stdout.buffer.write(_HEADER.pack(len(packed), 0, len(answer.body)) + packed)
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

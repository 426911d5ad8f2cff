"""Hostile input ends its reader and nothing else: bounded memory and time, a clear error, nothing fetched."""

import gc
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kg import GraphService, Model
from kg.documents import Document
from kg.errors import CheckFailed, KGError, LimitExceeded
from kg.sandbox import parse_upload
from tests.durability.rounds import is_long
from tests.server.live import Live

MB = 1 << 20
SECONDS, MEGABYTES = 8.0, 400
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/"'
SP = b"<http://x/a> <http://x/b> "


TABLE = b"subject\trelation\tobject\tlevel\tdirection\tdate\tsource\n"
ROW = b"therapy:%(i)d\ttargets\tHGNC:1633\tCASE_SERIES\tSUPPORTS\t2020\thttps://x/%(i)d\n"


def lines(count: int, line: bytes) -> bytes:
    return b"".join(line % {b"i": i} for i in range(count))


def laughs() -> bytes:
    entities = b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 10))
    return b'<!DOCTYPE r [<!ENTITY l0 "lol">' + entities + b"]>" + RDF + b"><x:a>&l9;</x:a></rdf:RDF>"


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "brackets, 1,000,000 deep": (lambda: SP + b"[ <http://x/b> " * 1_000_000, "ttl"),
    "lists, 1,000,000 deep": (lambda: SP + b"(" * 1_000_000, "ttl"),
    "graphs, 1,000,000 deep": (lambda: b"<http://x/g> {" * 1_000_000, "trig"),
    "triple terms, 200,000 deep": (lambda: SP + b"<<( <http://x/a> <http://x/b> " * 200_000, "ttl"),
    "reified triples in N-Quads": (lambda: SP + b"<<( <http://x/a> <http://x/b> " * 200_000, "nq"),
    "elements, 300,000 deep": (lambda: RDF + b">" + b"<rdf:Description><x:p>" * 150_000, "rdf"),
    "objects, 1,000,000 deep": (lambda: b'{"http://x/b":' * 1_000_000, "jsonld"),
    "arrays, 1,000,000 deep": (lambda: b"[" * 1_000_000, "jsonld"),
    "contexts in contexts": (lambda: b'{"@context":' * 300_000, "jsonld"),
    "many contexts": (lambda: b'{"@context":[' + b'{"x":"http://x/"},' * 300_000 + b'{}],"@id":"x:a","x:b":1}', "jsonld"),
    "a literal of 60 MB": (lambda: SP + b'"' + b"x" * (60 * MB) + b'" .', "nt"),
    "a literal of 60 MB that never ends": (lambda: SP + b'"""' + b"x" * (60 * MB), "ttl"),
    "a literal of quotes": (lambda: SP + b'"""' + b'"" ' * 5_000_000, "ttl"),
    "a name of 60 MB": (lambda: b"<http://x/" + b"a" * (60 * MB) + b"> <http://x/b> 1 .", "ttl"),
    "a number of 20 MB": (lambda: SP + b"9" * (20 * MB) + b" .", "ttl"),
    "a text of 60 MB without a line break": (lambda: b"x" * (60 * MB), "ttl"),
    "backslashes": (lambda: SP + b'"' + b"\\" * 5_000_000, "ttl"),
    "2,000,000 prefixes": (lambda: lines(2_000_000, b"@prefix p%(i)d: <http://x/%(i)d> .\n"), "ttl"),
    "1,000,000 prefixes in SPARQL's way": (lambda: lines(1_000_000, b"PREFIX p%(i)d: <http://x/%(i)d>\n"), "ttl"),
    "a prefix of 1 MB, used 1,000 times": (
        lambda: b"@prefix x: <http://x/" + b"a" * MB + b"> .\n" + lines(1_000, b"x:%(i)d x:p x:o .\n"),
        "ttl",
    ),
    "a prefix of 100 kB, used 1,000 times": (
        lambda: b"@prefix x: <http://x/" + b"a" * 100_000 + b"> .\n" + lines(1_000, b"x:%(i)d <p:p> 1 .\n"),
        "ttl",
    ),
    "1,000,000 triples": (lambda: lines(1_000_000, b"<http://x/%(i)d> <http://x/b> %(i)d .\n"), "ttl"),
    "1,500,000 blank nodes": (lambda: SP + b"[] , " * 1_500_000 + b"[] .", "ttl"),
    "every line an error": (lambda: lines(500_000, b"<http://x/%(i)d> <http://x/b> .\n"), "ttl"),
    "a million laughs": (laughs, "rdf"),
    "one long entity, used often": (
        lambda: b'<!DOCTYPE r [<!ENTITY a "%s">]>' % (b"a" * 100_000)
        + RDF + b"><rdf:Description><x:p>" + b"&a;" * 100_000 + b"</x:p></rdf:Description></rdf:RDF>",
        "rdf",
    ),
    "a short entity, used often": (
        lambda: b'<!DOCTYPE r [<!ENTITY a "%s">]>' % (b"a" * 500)
        + RDF + b"><rdf:Description><x:p>" + b"&a;" * 2_000_000 + b"</x:p></rdf:Description></rdf:RDF>",
        "rdf",
    ),
    "50,000 attributes": (lambda: RDF + lines(50_000, b' xmlns:a%(i)d="http://x/%(i)d"') + b"/>", "rdf"),
    "50 MB that are no UTF-8": (lambda: b"\xff" * (50 * MB), "ttl"),
    "no UTF-8 at the end of 50 MB": (lambda: b"#" * (50 * MB) + b"\xc3", "nt"),
    "UTF-16": (lambda: "<http://x/a> <http://x/b> 1 .".encode("utf-16") * 100_000, "ttl"),
    "zeros": (lambda: b"\0" * (50 * MB), "jsonld"),
    "lone surrogates": (lambda: b'{"@id":"http://x/a","http://x/b":"\\ud800"}', "jsonld"),
    "a table of 50 MB in one cell": (lambda: TABLE + b"x" * (50 * MB), "tsv"),
    "a table with a quote that never ends": (lambda: TABLE + b'"' + b"x\n" * 10_000_000, "tsv"),
    "a table of a million wrong rows": (lambda: TABLE + b"a\tb\tc\n" * 1_000_000, "tsv"),
    "a table of a million right rows": (lambda: TABLE + lines(1_000_000, ROW), "tsv"),
    "a table of line breaks": (lambda: b"\n" * (50 * MB), "tsv"),
    "a table of a million columns": (lambda: b"\t".join(b"c%d" % i for i in range(1_000_000)), "tsv"),
}  # fmt: skip
SHORT = {
    "brackets, 1,000,000 deep", "a million laughs", "a literal of 60 MB", "a prefix of 1 MB, used 1,000 times",
    "no UTF-8 at the end of 50 MB", "a table of line breaks",
}  # fmt: skip


def _status(field: str) -> int:
    """Return a line of this process's memory accounts, in MB."""
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{field}:")[1].split()[0]) >> 10


def read(data: bytes, format_: str, model: Model | None = None) -> tuple[Document | KGError, float, int]:
    """Return what becomes of an upload, the seconds it took, and the megabytes by which this process grew at most."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before, started = _status("VmRSS"), time.monotonic()
    try:
        found: Document | KGError = parse_upload(data, format_, "u", SECONDS, MEGABYTES, model)
    except KGError as error:
        found = error
    return found, time.monotonic() - started, _status("VmHWM") - before


@pytest.mark.parametrize("name", [name for name in HOSTILE if name in SHORT or is_long()])
def test_reading_what_is_hostile_is_bounded(name: str, model: Model) -> None:
    """Beside the upload itself, this process may grow by a few times what its reader may take."""
    make, format_ = HOSTILE[name]
    data = make()
    found, seconds, grown = read(data, format_, model)
    if isinstance(found, Document):
        said = str(found.syntax[0])[:160] if found.syntax else f"{len(found.triples)} triples"
        assert all(len(str(error)) < 2_000 for error in found.syntax), "no error repeats the upload"
    else:
        said = str(found)[:160]
        assert isinstance(found, LimitExceeded), said
    print(f"{name}: {len(data) / MB:.0f} MB, {seconds:.1f} s, +{grown} MB: {said}")
    assert seconds < SECONDS + 12
    assert grown < 5 * len(data) / MB + MEGABYTES, said
    assert parse_upload(SP + b"1 .", "ttl", "u").triples, "the next one is read"


# ---------------------------------------------------------------- nothing is fetched
@contextmanager
def listener() -> Iterator[tuple[str, list[object]]]:
    """Give the address of a server on this machine, and the connections that it saw."""
    seen: list[object] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, where = server.accept()
            except TimeoutError:
                continue
            seen.append(where)
            connection.close()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x", seen
        time.sleep(0.2)
    finally:
        stop.set()
        thread.join()
        server.close()


TEMPTING = {
    "context": ("jsonld", '{"@context": "URL", "@id": "http://x/a", "http://x/b": 1}'),
    "contexts": ("jsonld", '{"@context": ["URL", {"x": "http://x/"}], "@id": "http://x/a"}'),
    "import of a context": ("jsonld", '{"@context": {"@version": 1.1, "@import": "URL"}, "@id": "http://x/a"}'),
    "context inside": ("jsonld", '{"@id": "http://x/a", "http://x/b": {"@context": "URL", "http://x/c": 1}}'),
    "context of a term": (
        "jsonld",
        '{"@context": {"b": {"@id": "http://x/b", "@context": "URL"}}, "@id": "http://x/a", "b": {"c": 1}}',
    ),
    "owl:imports": ("ttl", "<http://x/o> a <http://www.w3.org/2002/07/owl#Ontology> ; <http://www.w3.org/2002/07/owl#imports> <URL> ."),
    "base": ("ttl", "@base <URL> . <a> <b> <c> ."),
    "DTD": ("rdf", '<!DOCTYPE r SYSTEM "URL"><r/>'),
    "entity": ("rdf", '<!DOCTYPE r [<!ENTITY a SYSTEM "URL">]><r>&a;</r>'),
    "parameter entity": ("rdf", '<!DOCTYPE r [<!ENTITY % a SYSTEM "URL"> %a;]><r/>'),
    "stylesheet": ("rdf", '<?xml-stylesheet href="URL"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'),
    "schema location": (
        "rdf",
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="URL URL"/>',
    ),
    "a graph that is an address": ("trig", "<URL> { <http://x/a> <http://x/b> <URL> }"),
}  # fmt: skip


def test_no_address_in_an_upload_is_ever_fetched(service: GraphService) -> None:
    """Neither by the reader nor by what checks and loads what was read."""
    with listener() as (url, seen):
        for name, (format_, text) in TEMPTING.items():
            document = parse_upload(text.replace("URL", url).encode(), format_, name)
            if not document.triples:
                continue
            with suppress(CheckFailed):
                service.load([document], message=name)
        assert seen == []
        host = urlsplit(url)
        socket.create_connection((host.hostname or "", host.port or 0)).close()
    assert len(seen) == 1, "the listener does see a connection"


def test_files_named_in_an_upload_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    for name in ("context", "DTD", "entity", "parameter entity"):
        format_, text = TEMPTING[name]
        document = parse_upload(text.replace("URL", secret.as_uri()).encode(), format_, "u")
        assert not any("the secret" in str(triple) for triple in document.triples)


# ---------------------------------------------------------------- a service
def test_a_body_of_a_gigabyte_is_refused_long_before_its_end_and_the_service_lives(tmp_path: Path) -> None:
    live = Live(tmp_path)
    before, block = _rss(live.process.pid), b"x" * MB
    for size, part in (
        (("content-length", str(1 << 30)), block),
        (("transfer-encoding", "chunked"), b"%x\r\n%s\r\n" % (MB, block)),
    ):
        assert _sent(live, size, part) < 200
        assert live.post("{ version { number } }", {})["data"]["version"]["number"] == 1
    assert _rss(live.process.pid) - before < 300
    live.stop()


def _sent(live: Live, size: tuple[str, str], part: bytes) -> int:
    """Send a body until the service hangs up, and return how many megabytes it took."""
    where = urlsplit(live.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    connection.putrequest("POST", "/graphql")
    for name, value in (("content-type", "application/json"), ("authorization", f"Bearer {live.key}"), size):
        connection.putheader(name, value)
    connection.endheaders()
    sent = 0
    with suppress(OSError):
        while sent < 1024:
            connection.send(part)
            sent += 1
    with suppress(OSError, http.client.HTTPException):
        assert connection.getresponse().status == 413
    connection.close()
    return sent


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) >> 10

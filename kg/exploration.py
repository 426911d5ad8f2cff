"""The graph as a Python user has it: a snapshot that answers questions about paths and hypotheses.

>>> from kg import open_graph
>>> graph = open_graph()
>>> page = graph.paths("therapy:descartes-08", "MONDO:0009688", where=PathConstraints(max_length=3))
>>> frame = page.to_frame()  # with pandas installed
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from kg.budget import Budget
from kg.errors import BadInput
from kg.findings import HypothesisConstraints, HypothesisPage, Plan
from kg.gaps import planner
from kg.hypotheses import hypotheses
from kg.mechanisms import HypothesisMatrix, MechanismComparison, compare_mechanisms, hypothesis_matrix
from kg.metapaths import Metagraph
from kg.overlay import Assumption, Scenario, scenario
from kg.paths import (
    CONFIDENCE,
    Distance,
    PathConstraints,
    PathPage,
    Reach,
    WhyNot,
    connecting_subgraph,
    distance,
    find_paths,
    reachable,
    shortest_paths,
    why_not,
)
from kg.paths.constraints import Ends
from kg.snapshot import Snapshot
from kg.views import View

Assumed = Assumption | tuple[str, str, str] | tuple[str, str, str, float]


class Graph(Snapshot):
    """A snapshot with the searches of the library as methods.

    Every search takes ``assuming`` (edges to take as true: ``Assumption`` or (subject, relation, object[,
    confidence])), ``without`` (edges, entities, sources or studies to leave out), ``as_of`` (a day: later
    evidence is left out) and ``budget`` (how much work it may be). Nothing is ever written.
    """

    def scenario(
        self, assuming: Sequence[Assumed] = (), without: Sequence[str] = (), as_of: date | None = None
    ) -> Scenario:
        """Return the graph under assumptions; raises NotFound and BadInput as ``kg.overlay.scenario``."""
        assumptions = [a if isinstance(a, Assumption) else Assumption(*a) for a in assuming]
        return scenario(self.as_of(as_of), assumptions, without)

    # -------------------------------------------------------------- paths
    def paths(
        self,
        sources: Ends,
        targets: Ends,
        *,
        where: PathConstraints | None = None,
        order_by: str = CONFIDENCE,
        diverse: bool = False,
        first: int = 10,
        after: str | None = None,
        budget: Budget | None = None,
        **what_if: Any,
    ) -> PathPage:
        """Return the best paths between two sets of ends; see ``kg.paths.find_paths``."""
        return find_paths(
            self.scenario(**what_if), sources, targets, where, order_by,
            first=first, after=after, diverse=diverse, budget=budget,
        )  # fmt: skip

    def shortest_paths(
        self,
        sources: Ends,
        targets: Ends,
        *,
        where: PathConstraints | None = None,
        first: int = 100,
        budget: Budget | None = None,
        **what_if: Any,
    ) -> PathPage:
        """Return all paths of the least length; see ``kg.paths.shortest_paths``."""
        return shortest_paths(self.scenario(**what_if), sources, targets, where, first=first, budget=budget)

    def distance(
        self,
        sources: Ends,
        targets: Ends,
        *,
        where: PathConstraints | None = None,
        budget: Budget | None = None,
        **what_if: Any,
    ) -> Distance:
        """Return how many steps two sets of ends are apart; see ``kg.paths.distance``."""
        return distance(self.scenario(**what_if), sources, targets, where, budget=budget)

    def connecting_subgraph(
        self, sources: Ends, targets: Ends, *, where: PathConstraints | None = None, paths: int = 10, **what_if: Any
    ) -> View:
        """Return the union of the best paths; see ``kg.paths.connecting_subgraph``."""
        return connecting_subgraph(self.scenario(**what_if), sources, targets, where, paths=paths)

    def reachable(self, sources: Ends, *, where: PathConstraints | None = None, **what_if: Any) -> Reach:
        """Return what can be reached from some entities; see ``kg.paths.reachable``."""
        return reachable(self.scenario(**what_if), sources, where)

    def why_not(self, sources: Ends, targets: Ends, *, where: PathConstraints | None = None, **what_if: Any) -> WhyNot:
        """Return why there is no path, and what would give one; see ``kg.paths.why_not``."""
        return why_not(self.scenario(**what_if), sources, targets, where)

    # -------------------------------------------------------------- hypotheses
    def hypotheses(
        self,
        *,
        where: HypothesisConstraints | None = None,
        first: int = 10,
        after: str | None = None,
        budget: Budget | None = None,
        assuming: Sequence[Assumed] = (),
        without: Sequence[str] = (),
        as_of: date | None = None,
        **ends: str,
    ) -> HypothesisPage:
        """Return hypotheses about one end or both, named after their kinds: ``hypotheses(therapy="…")``.

        ``subject`` and ``object`` name the ends whatever their kinds. With ``as_of``, ``later`` of each says what became
        of it. See ``kg.hypotheses.hypotheses``.
        """
        named = self._ends(ends)
        return hypotheses(
            self.scenario(assuming, without, as_of), subject=named.get("subject"), object=named.get("object"),
            where=where, later=self.scenario() if as_of else None, first=first, after=after, budget=budget,
        )  # fmt: skip

    def missing_edges(
        self, *, where: HypothesisConstraints | None = None, first: int = 20, budget: Budget | None = None, **ends: str
    ) -> Plan:
        """Return the single unknown edges that would help hypotheses most; see ``kg.gaps.planner``."""
        named = self._ends(ends)
        return planner(
            self.scenario(), subject=named.get("subject"), object=named.get("object"),
            where=where, first=first, budget=budget,
        )  # fmt: skip

    def compare_mechanisms(self, subject: str, known: str, candidate: str, **what_if: Any) -> MechanismComparison:
        """Return how far the mechanisms in one place hold in another; see ``kg.mechanisms.compare_mechanisms``."""
        return compare_mechanisms(self.scenario(**what_if), subject, known, candidate)

    def hypothesis_matrix(self, subjects: Sequence[str], objects: Sequence[str], **what_if: Any) -> HypothesisMatrix:
        """Return every pair of two sets; see ``kg.mechanisms.hypothesis_matrix``."""
        return hypothesis_matrix(self.scenario(**what_if), subjects, objects)

    def _ends(self, given: dict[str, str]) -> dict[str, str]:
        names = dict(zip(Metagraph(self.model, ()).end_names, ("subject", "object"), strict=True))
        known = {**names, "subject": "subject", "object": "object"}
        for name in given:
            if name not in known:
                raise BadInput(f"Hypotheses have no end called {name!r}; the ends are {' and '.join(names)}.")
        return {known[name]: value for name, value in given.items()}

"""Reading what a client sent, in a process that may be killed."""

from __future__ import annotations

from dataclasses import dataclass

from kg.documents import Document
from kg.graph import GraphService
from kg.sandbox import Nursery


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as a client sent it: its name, the ending that stands for its format, and its text."""

    name: str
    ending: str
    content: str


class Readers:
    """Reads uploads, one at a time, each in a process of its own."""

    def __init__(self, service: GraphService, seconds: float, megabytes: int) -> None:
        self.service = service
        self._nursery = Nursery(seconds, megabytes)

    def read(self, upload: Upload) -> Document:
        """Return the document in an upload; raises LimitExceeded where reading it takes too much time or memory."""
        try:
            return self._nursery.parse(upload.content.encode(), upload.ending, upload.name, self.service.model)
        finally:
            self.warm()  # for the next one, whatever became of this

    def warm(self) -> None:
        """Start the process that reads, so that the first upload need not wait for it."""
        self._nursery.start()

    def close(self) -> None:
        """End the process, if any."""
        self._nursery.close()

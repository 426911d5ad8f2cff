"""Reading what a client sent, in a process that may be killed, with the next one already warm."""

from __future__ import annotations

from dataclasses import dataclass

from kg.documents import Document
from kg.graph import GraphService
from kg.sandbox import Child, parse_upload

TABLE = "tsv"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as a client sent it: its name, the ending that stands for its format, and its text."""

    name: str
    ending: str
    content: str


class Readers:
    """Child processes that read uploads; starting one takes half a second, so one waits once the first was used."""

    def __init__(self, service: GraphService, seconds: float, megabytes: int) -> None:
        self.service, self.seconds, self.megabytes = service, seconds, megabytes
        self._spare: Child | None = None

    def read(self, upload: Upload) -> Document:
        """Return the document in an upload; raises LimitExceeded where reading it takes too much time or memory."""
        data = upload.content.encode()
        if upload.ending == TABLE:  # our own reader, which cannot run away
            return parse_upload(data, TABLE, upload.name, self.seconds, self.megabytes, self.service.model)
        child, self._spare = self._spare or self._start(), None
        try:
            with child:
                return child.parse(data, upload.ending, upload.name)
        finally:
            self._spare = self._start()

    def _start(self) -> Child:
        return Child(self.seconds, self.megabytes)

    def close(self) -> None:
        """End the child that waits, if any."""
        if self._spare is not None:
            self._spare.close()
            self._spare = None

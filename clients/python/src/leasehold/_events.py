"""Following what happens: server-sent events, however they are cut, and where to go on when a connection breaks."""

from __future__ import annotations

import json
import random
from typing import Dict, Iterator, List, Mapping, Optional, Union

from ._flow import Call, Replicas
from .errors import LeaseholdError, read_problem
from .models import Event

#: A stream that is silent for so long is broken: the server gives signs of life each 10 s.
SILENCE = 30.0
#: Before it comes back, where the server said nothing of it.
PAUSE = 1.0
#: The longest line that is taken, in bytes.
LINE_MOST = 1 << 20


class Lines:
    """Lines of server-sent events, cut as they come."""

    def __init__(self, last_id: Optional[str]) -> None:
        self.last_id = last_id
        self.retry = PAUSE
        self._rest = b""
        self._data: List[str] = []
        self._id: Optional[str] = None

    def read(self, chunk: bytes) -> Iterator[Event]:
        """The events that are whole with this chunk."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            event = self._line(line.decode("utf-8", "replace").rstrip("\r"))
            if event is not None:
                yield event
        if len(self._rest) > LINE_MOST:
            self.cut()

    def _line(self, line: str) -> Optional[Event]:
        if not line:
            return self._end_block()
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        elif name == "retry" and value.isdigit():
            self.retry = int(value) / 1000
        return None

    def _end_block(self) -> Optional[Event]:
        if self._id is not None:
            self.last_id, self._id = self._id, None
        data, self._data = "\n".join(self._data), []
        try:
            return Event.read(json.loads(data), self.last_id) if data else None
        except (ValueError, KeyError, TypeError):
            # Of a newer server there may be others.
            return None

    def cut(self) -> None:
        """The connection broke: what was half told is told again."""
        self._rest, self._data, self._id = b"", [], None


class Following:
    """A stream that is followed across connections and replicas."""

    def __init__(
        self,
        replicas: Replicas,
        target_type: Optional[str],
        kind: Optional[str],
        session: Optional[str],
        container: Optional[str],
        from_start: bool,
        follow: bool,
        after: Optional[str],
    ) -> None:
        self._replicas = replicas
        self._lines = Lines(after)
        self._begun = False
        self._failures = 0
        self._base = ""
        self._query: Dict[str, Union[str, int]] = {
            "from": "start" if from_start else "now",
            "follow": "true" if follow else "false",
        }
        named = {"target_type": target_type, "kind": kind, "session": session, "container": container}
        self._query.update({name: value for name, value in named.items() if value is not None})

    def connect(self) -> Call:
        """How to go on."""
        self._lines.cut()
        self._base = self._replicas.current
        headers = {"Accept": "text/event-stream"}
        if self._lines.last_id is not None:
            headers["Last-Event-ID"] = self._lines.last_id
        return Call("GET", "/events", self._query, headers, timeout=SILENCE, waits=True, base=self._base)

    def accepted(self, status: int) -> bool:
        """Whether the answer is the stream."""
        self._begun = self._begun or status == 200
        return status == 200

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """The answer was none; raises what will not pass by."""
        self.broke(read_problem(status, headers, body))

    def broke(self, error: LeaseholdError) -> None:
        """The connection failed; raises what will not pass by, and a first one that found no address."""
        self._failures += 1
        if not error.passing or (not self._begun and self._failures >= len(self._replicas)):
            raise error
        self._replicas.failed(self._base)

    def read(self, chunk: bytes) -> Iterator[Event]:
        """The events that are whole with this chunk."""
        return self._lines.read(chunk)

    def pause(self) -> float:
        """How long to wait before the next connection."""
        return self._lines.retry * random.uniform(0.5, 1)

"""What both pools share: the address, the key, and what is kept in this process."""

from __future__ import annotations

import os
import weakref
from types import TracebackType
from typing import Any, List, Mapping, Optional, Sequence, Tuple, Type, Union

from ._flow import Asking, Flow, Replicas
from ._hold import Hold
from ._keeper import Keeper
from ._sessions import Wish
from ._version import VERSION
from ._wire import Settings
from .errors import PoolClosed
from .models import Container, Explanation, PoolStatus, SessionRecord

DEFAULT_URL = "http://127.0.0.1:8088"
#: For an answer, and for all tries of one call, in seconds.
DEFAULT_TIMEOUT = 10.0

Urls = Union[str, Sequence[str], None]
Exit = Tuple[Optional[Type[BaseException]], Optional[BaseException], Optional[TracebackType]]


class PoolBase:
    """The part of a pool that does no I/O."""

    def __init__(self, url: Urls, api_key: Optional[str], timeout: float, ca_file: Optional[str]) -> None:
        if timeout <= 0:
            raise ValueError(f"timeout = {timeout}: more than 0 seconds is right")
        given = url or os.environ.get("LEASEHOLD_URL") or DEFAULT_URL
        replicas = Replicas([one.strip() for one in given.split(",")] if isinstance(given, str) else given)
        key = api_key if api_key is not None else os.environ.get("LEASEHOLD_API_KEY") or None
        self._asking = Asking(replicas, timeout)
        self._settings = Settings(replicas, key, ca_file, f"leasehold-python/{VERSION}")
        self._closed = False
        #: Connections stay until it is closed: it is used as a context of its own.
        self._entered = False
        self._begin()
        _POOLS.add(self)

    def _begin(self) -> None:
        """Makes what belongs to one process."""
        self._keeper = Keeper(self._settings, self._asking)

    def _open(self) -> None:
        if self._closed:
            raise PoolClosed("the pool was closed")

    @property
    def urls(self) -> List[str]:
        """The addresses that lead to the pool."""
        return list(self._asking.replicas.urls)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.urls))})"

    def _read_status(self) -> Flow[PoolStatus]:
        return self._asking.read("/containers/status", PoolStatus.read)

    def _read_containers(self, target_type: Optional[str], available_only: bool) -> Flow[List[Container]]:
        only = "true" if available_only else None
        return self._asking.pages("/containers", _containers_page, target_type=target_type, available_only=only)

    def _read_container(self, container_id: str) -> Flow[Container]:
        return self._asking.read(f"/containers/{container_id}", Container.read)

    def _read_session(self, session_id: str) -> Flow[SessionRecord]:
        return self._asking.read(f"/sessions/{session_id}", SessionRecord.read)

    def _read_explanation(self, target_type: str) -> Flow[Explanation]:
        return self._asking.read("/explain", Explanation.read, target_type=target_type)


def _containers_page(data: Mapping[str, Any]) -> Tuple[List[Container], Optional[str]]:
    return [Container.read(one) for one in data["containers"]], data.get("next")


def wish_of(target_type: str, wait: float, metadata: Optional[Mapping[str, Any]], **options: Any) -> Wish:
    """A wish, checked for what the server cannot see."""
    if wait < 0:
        raise ValueError(f"wait = {wait}: 0 or more seconds is right")
    if wait and options.get("container_id"):
        raise ValueError(f"wait = {wait} with container_id: a certain container is not waited for; wait = 0 is right")
    return Wish(target_type, wait, metadata=metadata, **options)


def hold_of(asking: Asking, confirmed: Tuple[SessionRecord, float], always_active: bool) -> Hold:
    """What is held by a confirmed session."""
    record, sent = confirmed
    return Hold(record, sent, asking.clock, always_active)


_POOLS: weakref.WeakSet[PoolBase] = weakref.WeakSet()


def _after_fork() -> None:
    # Threads do not come along, connections are the parent's, and its locks may be held for ever.
    for pool in list(_POOLS):
        pool._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

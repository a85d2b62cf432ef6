"""What can go wrong. All of it is a `LeaseholdError`."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional, Type


class LeaseholdError(Exception):
    """The base of all errors of this package."""

    #: What is safe to repeat may be repeated: the server could not be asked, or could not serve just now.
    passing = False
    #: How long the server wants to be left alone, in seconds.
    retry_after: Optional[float] = None


class Unreachable(LeaseholdError):
    """No answer: nobody listens there, the connection broke, or it took too long."""

    passing = True

    def __init__(self, url: str, reason: str, sent: bool = True) -> None:
        super().__init__(url, reason, sent)
        self.url = url
        self.reason = reason
        #: Whether the request may have reached the server, and been executed.
        self.sent = sent

    def __str__(self) -> str:
        return f"cannot reach {self.url}: {self.reason}"


class Busy(Unreachable):
    """No connection became free in time: this process asks more than they carry. It tells nothing of the server."""


class NotUnderstood(LeaseholdError):
    """Something answered, in a form that is not the API's."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.url} does not answer as Leasehold does: {self.reason}"


class PoolClosed(LeaseholdError):
    """The pool was closed before."""


class LeaseLost(LeaseholdError):
    """The container is not this session's any more, and must not be used.

    `reason` is the server's word for why the session ended (`expired`, `admin`, `max_duration`, `idle`,
    `container_lost`, `superseded`, …), `silence` when no renewal succeeded in time, `forked` in a process that was
    forked from the holder's.
    """

    def __init__(self, session_id: str, reason: str, detail: str) -> None:
        super().__init__(session_id, reason, detail)
        self.session_id = session_id
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"the lease of session {self.session_id} is lost ({self.reason}): {self.detail}"

    def again(self) -> LeaseLost:
        """Another one of the same, to be raised: each place that raises it has a trace of its own."""
        return LeaseLost(self.session_id, self.reason, self.detail)


class ApiError(LeaseholdError):
    """The API refused, and says why: an `application/problem+json` answer (RFC 9457)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        retry_after: Optional[float] = None,
        problem: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(status, code, detail, retry_after, problem)
        #: The HTTP status.
        self.status = status
        #: The stable word for what happened; `http_<status>` when the answer had none.
        self.code = code
        #: What happened, for people.
        self.detail = detail
        self.retry_after = retry_after
        #: The whole document.
        self.problem: Mapping[str, Any] = problem or {}
        self.passing = code == "rate_limited" or (status in (502, 503, 504) and not isinstance(self, Shortage))

    def __str__(self) -> str:
        return f"{self.detail} ({self.status} {self.code})"


class Shortage(ApiError):
    """Nothing was available for the session asked for; the same request may succeed later."""


class NoAvailableContainers(Shortage):
    """No container of the type is available, or none became so within `wait`."""

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many containers are out for what; `explain` says more."""
        return dict(self.problem.get("reasons") or {})


class ContainerUnavailable(Shortage):
    """The container that was asked for by its id is not available."""


class LineFull(Shortage):
    """The type's line has as many places as it may."""


class QuotaExceeded(Shortage):
    """The owner has as many sessions, or places in line, as it may."""

    @property
    def quota(self) -> Optional[str]:
        """`sessions_max` or `tickets_max`."""
        return self.problem.get("quota")


class RateLimited(ApiError):
    """The key asks more often than it may."""


class Unavailable(ApiError):
    """The server cannot serve just now: Redis is away, or the replica ends."""


class Recovering(Unavailable):
    """Redis lost data, and what somebody may still hold is not given out yet."""


class NotAuthenticated(ApiError):
    """No API key came with the request, or one that is not known."""


class Forbidden(ApiError):
    """The key's role does not suffice."""


class UnknownTargetType(ApiError):
    """There is no such type of containers."""

    @property
    def known_types(self) -> List[str]:
        """Those that there are."""
        return list(self.problem.get("known_types") or [])


class SessionNotFound(ApiError):
    """There is no such session of this owner."""


class SessionEnded(ApiError):
    """The session has ended."""

    @property
    def end_reason(self) -> Optional[str]:
        """Why."""
        return self.problem.get("end_reason")


class StaleFencingToken(ApiError):
    """Another lease holds the container."""


class LeaseTokenRequired(ApiError):
    """Redis has lost the lease, and wants it proven."""


class ContainerNotFound(ApiError):
    """There is no such container."""


class InvalidRequest(ApiError):
    """A field is malformed or out of its bounds: `detail` names it and what is right."""


_BY_CODE: Dict[str, Type[ApiError]] = {
    "no_available_containers": NoAvailableContainers,
    "container_unavailable": ContainerUnavailable,
    "line_full": LineFull,
    "quota_exceeded": QuotaExceeded,
    "rate_limited": RateLimited,
    "recovering": Recovering,
    "missing_api_key": NotAuthenticated,
    "invalid_api_key": NotAuthenticated,
    "unknown_target_type": UnknownTargetType,
    "session_not_found": SessionNotFound,
    "session_ended": SessionEnded,
    "stale_fencing_token": StaleFencingToken,
    "lease_token_required": LeaseTokenRequired,
    "container_not_found": ContainerNotFound,
}

_BY_STATUS: Dict[int, Type[ApiError]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    403: Forbidden,
    422: InvalidRequest,
    503: Unavailable,
}


def problem_of(
    status: int, document: Mapping[str, Any], retry_after: Optional[float] = None, text: str = ""
) -> ApiError:
    """The error that a problem document is; `text` stands in where it has no words."""
    code = str(document.get("code") or f"http_{status}")
    detail = document.get("detail") or document.get("title") or text.strip()[:200] or "no explanation was given"
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status) or ApiError
    return kind(status, code, str(detail), retry_after, document)


def read_problem(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """Reads an answer that is no success; what is no problem document still gives its status and the start of its
    text.
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    retry_after: Optional[float]
    try:
        retry_after = max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        retry_after = None
    return problem_of(
        status, document if isinstance(document, dict) else {}, retry_after, body.decode("utf-8", "replace")
    )

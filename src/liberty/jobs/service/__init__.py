"""The use cases behind REST, sockets and the CLI: each checks what its caller may do and answers with facts."""

from liberty.jobs.service.caller import Caller
from liberty.jobs.service.requests import ReplayRequest, RunRequests
from liberty.jobs.service.runs import RunReader

__all__ = ["Caller", "ReplayRequest", "RunReader", "RunRequests"]

"""From proven credentials to the caller the services know: the way they came decides what a run's trigger says."""

from collections.abc import Mapping

from liberty.auth.credentials import OS_USER_HEADER, Credentials
from liberty.auth.principal import Kind
from liberty.jobs.run import TriggerKind
from liberty.jobs.service.caller import Caller

VIA: Mapping[Kind, TriggerKind] = {"session": "manual", "token": "api", "cli": "cli"}
_LONGEST_NAME = 64


def caller_of(credentials: Credentials, address: str | None, headers: Mapping[str, str]) -> Caller:
    """The caller. Only the command line of this machine may name an OS user."""
    principal = credentials.principal
    os_user = None
    if principal.kind == "cli":
        os_user = headers.get(OS_USER_HEADER, "")[:_LONGEST_NAME] or principal.name
    return Caller(principal, VIA[principal.kind], address, os_user)

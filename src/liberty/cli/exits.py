"""What the exit code of a command says."""

from liberty.errors import LibertyError

OK = 0
RUN_FAILED = 1
USAGE = 2
NOT_FOUND = 3
INVALID = 4
NO_SERVER = 5
FORBIDDEN = 6
INTERRUPTED = 130

_BY_CODE = {
    "not_found": NOT_FOUND,
    "conflict": INVALID,
    "invalid": INVALID,
    "unauthenticated": FORBIDDEN,
    "forbidden": FORBIDDEN,
    "unavailable": NO_SERVER,
    "storage_full": NO_SERVER,
    "too_many_requests": NO_SERVER,
    "internal": NO_SERVER,
}


class UsageError(Exception):
    """The command line itself is wrong; the message says what to write instead."""


def exit_code(error: LibertyError) -> int:
    """The code for an error of ours: it follows the error's public `code`."""
    return _BY_CODE.get(error.code, NO_SERVER)

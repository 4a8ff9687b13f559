"""Who types the commands."""

import getpass
import os


def os_user() -> str:
    """The name of this operating system user; the number where there is no name, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())

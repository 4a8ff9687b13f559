"""The log of this process: silent, because a run's own lines are what is asked for, unless `-v` shows it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def shown_process_log() -> Iterator[None]:
    """Every record goes to standard error, in the form the server uses. Raises Invalid for the files."""
    from liberty import logs
    from liberty.settings import load_settings

    log = logs.configure(load_settings().app)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(log)
        log.close()


def prepare_process_log() -> None:
    """Let records be made, so that runs can capture them, and keep them off the terminal."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    if root.getEffectiveLevel() > logging.INFO:
        root.setLevel(logging.INFO)

"""The log of this process: silent, because a run's own lines are what is asked for, unless `-v` shows it."""

import logging
import sys


def show_process_log() -> None:
    """Send every record to standard error."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)-5s %(name)s %(message)s", force=True
    )


def prepare_process_log() -> None:
    """Let records be made, so that runs can capture them, and keep them off the terminal."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    if root.getEffectiveLevel() > logging.INFO:
        root.setLevel(logging.INFO)

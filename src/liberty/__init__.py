"""Nomaflow: schedules, runs and shows the background work of internal applications."""

__version__ = "0.1.0"

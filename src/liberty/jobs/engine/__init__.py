"""Runs what is due: admission, dispatch, the runner and its attempts, live logs, rescue, the schedule."""

"""From the page "Deploy and debug", section "The apps repo layout": one plugin may use another."""

from myapp.db.models import TABLE


def close() -> dict:
    return {"table": TABLE}

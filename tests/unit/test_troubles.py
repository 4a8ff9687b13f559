"""Independent reasons to be degraded, and what `/healthz` makes of them."""

from liberty.api.liveness import Liveness


def test_health_is_degraded_while_any_cause_holds_and_names_each() -> None:
    liveness = Liveness("ok")
    liveness.troubles.note("database", "the disk is full")
    liveness.troubles.note("threads", "all threads are stuck")
    found = liveness.document()
    assert (found["ok"], found["status"]) == (True, "degraded")
    assert found["reasons"] == {"database": "the disk is full", "threads": "all threads are stuck"}
    assert found["note"] == "the disk is full; all threads are stuck"
    liveness.troubles.note("database", None)
    assert liveness.document()["status"] == "degraded"
    liveness.troubles.note("threads", None)
    assert set(liveness.document()) == {"ok", "status", "version"}
    assert liveness.document()["status"] == "ok"


def test_a_stopping_server_says_so_whatever_else_is_wrong() -> None:
    liveness = Liveness("stopping")
    liveness.troubles.note("database", "away")
    found = liveness.document()
    assert (found["ok"], found["status"], liveness.status_code) == (False, "stopping", 503)

"""Those who follow a run hear how far its copy has come; others do not."""

import asyncio
from pathlib import Path

from tests.live.test_sockets import connected
from tests.server import lay_out, serving

JOBS = """
[[jobs]]
name = "endless"
[[jobs.steps]]
type = "sql_copy"
name = "copy"
source = {connector = "work", query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"}
target = {connector = "work", table = "t"}
"""


async def test_the_progress_of_a_copy_is_told(tmp_path: Path) -> None:
    config = lay_out(tmp_path, jobs=JOBS)
    (config / "connectors.toml").write_text(f'[pools.work]\nurl = "sqlite:///{tmp_path}/work.db"\n')
    with serving(config) as server:
        async with connected(server, "root") as listener, connected(server, "root") as other:
            await other.ask("jobs.subscribe")
            run_id = await asyncio.to_thread(server.start, "endless")
            await listener.ask("run.subscribe", {"run_id": run_id})
            first, _ = await listener.until("job.step.progress")
            second, _ = await listener.until("job.step.progress")
            assert (first["run_id"], first["job"], first["name"], first["index"]) == (
                run_id,
                "endless",
                "copy",
                0,
            )
            assert 0 < first["rows"] < second["rows"]
            assert 0 < first["bytes"] < second["bytes"]
            assert first["rows_per_second"] > 0
            assert first["total_rows"] is None
            await asyncio.to_thread(server.root.post, f"/admin/jobs/runs/{run_id}/abort")
            run = await asyncio.to_thread(server.ended, run_id)
            heard = []
            while True:
                data, before = await other.until("job.run.transitioned")
                heard += [name for name, _ in before]
                if data["status"] == "aborted":
                    break
            assert "job.step.progress" not in heard
        assert any(line["message"].startswith("progress: ") for line in run["logs"])

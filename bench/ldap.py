"""How long a mirror of 50,000 entries takes and how much memory: `python -m bench.ldap` (as root, with slapd)."""

import asyncio
import resource
import tempfile
import time
from pathlib import Path

from liberty.connectors import ConnectorRegistry
from liberty.jobs.steps.ldap_sync import LdapSyncStep
from liberty.testing import build_fake_ctx
from tests.slapd import SUFFIX, Slapd, person

ENTRIES = 50_000
TARGET_SECONDS = 20


async def main(folder: Path) -> None:
    server = Slapd(folder / "slapd")
    server.folder.mkdir()
    server.fill(person(f"user{number:05}", mail=f"user{number}@example.org") for number in range(ENTRIES))
    server.start()
    connectors = ConnectorRegistry(
        {"pools": {"ad": server.pool(), "crm": {"url": f"sqlite:///{folder}/crm.db"}}}
    )
    await connectors.sql("crm").execute("CREATE TABLE users (login TEXT PRIMARY KEY, name TEXT, email TEXT)")
    step = LdapSyncStep.model_validate(
        {
            "ldap_pool": "ad",
            "search_base": f"ou=people,{SUFFIX}",
            "search_filter": "(uid=*)",
            "target_connector": "crm",
            "target_table": "users",
            "key_column": "login",
            "deletion_mode": "hard",
            "mapping": {"uid": "login", "cn": "name", "mail": "email"},
        }
    )
    for what in ("all new", "nothing new"):
        began, cpu = time.perf_counter(), time.process_time()
        found = (await step.execute(build_fake_ctx(connectors=connectors))).extras
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{what}: {found['fetched']:,} entries, {found['upserted']:,} written, {took:.1f} s of {TARGET_SECONDS} "
            f"(CPU {time.process_time() - cpu:.1f} s), peak {peak} MiB"
        )
    await connectors.close()
    server.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(main(Path(directory)))

"""From the page "Write a callable", section "Errors": let exceptions out.

Corrected: `db` is not defined there, and its call is shown as `db.execute(...)`.
"""


class Database:
    async def execute(self, query):
        return []


db = Database()


async def maybe_fail(**_):
    rows = await db.execute(...)
    if not rows:
        raise RuntimeError("no rows returned — upstream issue")
    return {"rows_affected": len(rows)}

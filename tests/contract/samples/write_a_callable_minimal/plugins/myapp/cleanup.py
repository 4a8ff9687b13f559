"""From the page "Write a callable", section "The minimal signature". Nothing corrected."""


# plugins/myapp/cleanup.py
async def purge_old_sessions(**kwargs) -> dict:
    return {"rows_affected": 0}

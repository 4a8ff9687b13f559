"""From the page "Custom Python steps", section "Reading a previous step's output", and "Raising on failure".

Corrected: the import of StepContext; `# ... upsert ...` is a count; the fragment that raises has a function around it.
"""

from liberty.jobs.types import StepContext


async def upsert_releases(ctx: StepContext, **_) -> dict:
    http_step = ctx.previous_step("fetch-releases")
    if http_step.status != "SUCCEEDED":
        raise RuntimeError("upstream step failed — refusing to upsert")
    payload = http_step.output["body"]  # decoded JSON
    return {"rows_affected": len(payload), "first": payload[0]["tag"]}


async def check(ctx: StepContext, *, response, **_) -> None:
    if response.status_code != 200:
        raise RuntimeError(f"upstream returned {response.status_code} — body: {response.text[:200]}")

"""From the page "Custom Python steps", section "Where the code lives": a plugin that is one file.

Corrected: the page names the function and does not show it. `print` is what the page warns of.
"""


async def prune_attachments(ctx, **_):
    print("pruning")
    return {"status": "skipped", "reason": "threshold not crossed"}

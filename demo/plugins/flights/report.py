"""Results as files."""

import csv

from liberty.jobs.types import StepFailed


def write_csv(*, settings, rows: list, file_name: str) -> dict:
    """Write `rows` to `data/reports/`. Big results belong into a file or a table; the run keeps where they are."""
    if not rows:
        raise StepFailed("there is nothing to write; did the refresh bring any flights?")
    folder = settings.paths.apps_repo / "data" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / file_name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return {"rows_affected": len(rows), "file": f"data/reports/{file_name}"}

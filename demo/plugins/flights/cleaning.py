"""Changes to rows on their way from one database into the other."""


def tidy_plane(row: dict) -> dict | None:
    """Manufacturers are not shouted, and what is no aeroplane stays behind.

    Called once for every row, in a thread, so it may be plain and blocking. It sees nothing but the row.
    """
    if row["type"] == "Rotorcraft":
        return None
    row["manufacturer"] = row["manufacturer"].title()
    return row

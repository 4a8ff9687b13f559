"""What `bench/copy.py` measures: tables, pairs of databases beside their peers, and what else a copy costs."""

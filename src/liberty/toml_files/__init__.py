"""TOML files: read them safely, say where something stands in them, and change them without losing a comment."""

from liberty.toml_files.document import RUN_TIME_WORDS, TomlDocument, content_hash, parse_toml, read_toml
from liberty.toml_files.edit import REMOVE, edit_toml, rewrite, set_values, write_atomic
from liberty.toml_files.validation import validation_problems

__all__ = [
    "REMOVE",
    "RUN_TIME_WORDS",
    "TomlDocument",
    "content_hash",
    "edit_toml",
    "parse_toml",
    "read_toml",
    "rewrite",
    "set_values",
    "validation_problems",
    "write_atomic",
]

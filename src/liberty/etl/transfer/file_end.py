"""A file as one side of a copy: what it is called, which form it has, and the thread in which it is read or written."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from liberty.connectors.config import PoolConfig
from liberty.errors import Invalid

if TYPE_CHECKING:
    from liberty.connectors import ConnectorRegistry
    from liberty.connectors.file_folders import FilePlace
    from liberty.etl.transfer.columns import Kind
    from liberty.etl.transfer.request import Place

type FileForm = Literal["csv", "parquet"]

_FORMS: Mapping[str, FileForm] = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file is written.

    Attributes:
        form: by default its name's ending tells.
        null: a text that stands for NULL, besides the unquoted nothing.
        columns: kinds of columns; others are what the target's columns want, or texts.
    """

    form: FileForm | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    null: str = ""
    columns: Mapping[str, "Kind"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileEnd:
    """A place with its file found in a folder that jobs may use."""

    place: "Place"
    file: "FilePlace"
    form: FileForm
    options: FileOptions

    @classmethod
    def of(cls, place: "Place", connectors: "ConnectorRegistry") -> "FileEnd":
        """Raises Invalid for a file that jobs may not use, or of an unknown form."""
        url = place.file or ""
        form = place.options.form or _FORMS.get(PurePosixPath(url).suffix.lower())
        if form is None:
            raise Invalid(f'{url}: its name does not tell what it holds; set form = "csv" or "parquet"')
        if form == "parquet":
            _need_arrow()
        return cls(place, connectors.files.place(url), form, place.options)

    @property
    def backend(self) -> str:
        return self.form

    @property
    def settings(self) -> PoolConfig:
        """A file has none of a pool's: no text is trimmed, no NULL replaced."""
        return PoolConfig(url="file:")

    def table_name(self) -> tuple[str | None, str]:
        return None, self.file.name


def _need_arrow() -> None:
    if find_spec("pyarrow") is None:
        raise Invalid("Parquet files need the package pyarrow: install nomaflow[arrow]")


class FileThread:
    """One thread for one file. What is called goes one after the other, so the last call finds the file at rest."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "file")

    async def call[Result](self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run it in the thread; a caller that is cancelled leaves it to end by itself."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    async def close(self, last: Callable[[], None]) -> None:
        """Run `last` after all that was called, to its end whatever happens meanwhile."""
        task = asyncio.ensure_future(self.call(last))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise
        finally:
            self._executor.shutdown(wait=False)

"""The `guard` of a step: limits that stop it before it harms."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from liberty.jobs.steps.fields import Templatable

if TYPE_CHECKING:
    from liberty.etl.transfer.guard import Guard


class RowGuard(BaseModel):
    """How many rows a step may write. Beyond a limit it fails, and what it has done is undone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_rows: Annotated[int | None, Field(ge=0), Templatable()] = Field(
        None, description="Fail when fewer rows would be written."
    )
    max_rows: Annotated[int | None, Field(ge=0), Templatable()] = Field(
        None, description="Fail when more rows would be written."
    )

    @model_validator(mode="after")
    def _limits_something(self) -> "RowGuard":
        if all(value is None for value in self.limits().values()):
            raise ValueError(f"names no limit; known ones: {', '.join(type(self).model_fields)}")
        if (
            isinstance(self.min_rows, int)
            and isinstance(self.max_rows, int)
            and self.min_rows > self.max_rows
        ):
            raise ValueError(f"'min_rows' is {self.min_rows}, more than 'max_rows', {self.max_rows}")
        return self

    def limits(self) -> dict[str, Any]:
        """The limits by their names."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def opened(self) -> "Guard":
        """As the one who counts the rows wants it."""
        from liberty.etl.transfer.guard import Guard

        return Guard(**self.limits())


class CopyGuard(RowGuard):
    """The same for a copy, which may also delete."""

    max_delete_pct: Annotated[float | None, Field(ge=0, le=100), Templatable()] = Field(
        None, description="Fail when more per cent of the target's rows would be deleted and not come back."
    )

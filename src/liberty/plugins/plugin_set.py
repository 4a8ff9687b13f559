"""One generation of all plugins: finding a job's function in it, and refusing what is not the plugins' own."""

import asyncio
import hashlib
import inspect
import os
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from liberty.plugins import importer
from liberty.plugins.functions import PluginFunction, functions_in
from liberty.plugins.tree import Tree

SHIPPED_MODULES = ("liberty.etl", "liberty.jobs.maintenance", "liberty.jobs.engine.retention")
"""Parts of this package that jobs may call. The rest is not for definitions: some of it writes files."""

_REF = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<function>[A-Za-z_]\w*)", re.ASCII)


class PluginSet:
    """One generation of all plugins. Functions taken from it stay what they are when files change."""

    def __init__(self, number: int, tree: Tree) -> None:
        self.number = number
        self.tree = tree
        self.generation = importer.Generation(tree)
        self._resolved: dict[str, Callable[..., Any]] = {}
        self._described: dict[str, tuple[PluginFunction, ...]] = {}

    def resolved(self, ref: str) -> Callable[..., Any] | None:
        """The function when `resolve` has found it before; never imports."""
        return self._resolved.get(ref)

    def resolve(self, ref: str, step: str = "") -> Callable[..., Any]:
        """The function `pkg.mod:fn`. Imports its module, so call this where user code may run.

        Raises ImportError, whose text begins with the name of the python `step`, when there is no such module
        or function, when the import fails for whatever reason, or when it is not the plugins' own function.
        """
        found = self._resolved.get(ref)
        if found is None:
            try:
                found = self._find(ref)
            except ImportError as error:
                raise ImportError(
                    f"python step {step!r}: {error}" if step else str(error)
                ) from error.__cause__
            self._resolved[ref] = found
        return found

    def _find(self, ref: str) -> Callable[..., Any]:
        parts = _REF.fullmatch(ref)
        if parts is None:
            raise ImportError(f"callable {ref!r} is not of the form module.path:function")
        module_name, name = parts["module"], parts["function"]
        if any(part.startswith("__") for part in (*module_name.split("."), name)):
            raise ImportError(
                f"callable {ref!r} is refused: names with two leading underscores are not callable"
            )
        shipped = _is_shipped(module_name)
        if not shipped:
            self._refuse_foreign(ref, module_name)
        try:
            module = importer.load(self.generation, module_name)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # the module's top-level code may raise anything, even SystemExit
            reason = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
            raise ImportError(
                f"cannot import module {module_name!r} from callable {ref!r} — {reason}"
            ) from error
        try:
            function: object = getattr(module, name)
        except AttributeError:
            raise ImportError(
                f"module {module_name!r} has no attribute {name!r} (from callable {ref!r})"
            ) from None
        return self._checked(ref, module_name, name, function, shipped=shipped)

    def _refuse_foreign(self, ref: str, module_name: str) -> None:
        top = module_name.partition(".")[0]
        if top in self.tree.modules:
            return
        elsewhere = (
            "part of the program itself" if top == "liberty" else importer.hidden_by(top, self.tree.root)
        )
        if elsewhere is not None:
            raise ImportError(
                f"callable {ref!r} is refused: {module_name!r} is {elsewhere}; "
                f"a step calls functions defined in the plugins folder {self.tree.root}"
            )
        raise ImportError(
            f"cannot import module {module_name!r} from callable {ref!r} — No module named {top!r}"
        )

    def _checked(
        self, ref: str, module_name: str, name: str, function: object, *, shipped: bool
    ) -> Callable[..., Any]:
        if inspect.isclass(function) or not callable(function):
            raise ImportError(
                f"callable {ref!r} is refused: {name!r} is a {type(function).__name__}, not a function"
            )
        innermost = inspect.unwrap(function)
        code = getattr(innermost, "__code__", None)
        if shipped:
            if (
                inspect.isfunction(innermost)
                and _is_shipped(innermost.__module__)
                and not name.startswith("_")
            ):
                return function
        elif self._defines(module_name, name) or (
            inspect.isfunction(innermost) and code is not None and self._owns(code.co_filename)
        ):
            return function
        origin = getattr(innermost, "__module__", None) or type(innermost).__module__
        raise ImportError(
            f"callable {ref!r} is refused: {name!r} is defined in {origin!r}, "
            f"not in the plugins folder {self.tree.root}"
        )

    def _defines(self, module_name: str, name: str) -> bool:
        return any(function.name == name for function in self._functions_of(module_name))

    def _owns(self, file: str) -> bool:
        return file in self._files

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(source.path for source in self.tree.modules.values())

    def _functions_of(self, module_name: str) -> tuple[PluginFunction, ...]:
        source = self.tree.modules.get(module_name)
        if source is None or source.text is None:
            return ()
        if module_name not in self._described:
            try:
                self._described[module_name] = functions_in(module_name, source)
            except (SyntaxError, ValueError, RecursionError):
                self._described[module_name] = ()
        return self._described[module_name]

    def functions(self) -> list[PluginFunction]:
        """Every public top-level function, by module and line; nothing is imported. Test files are left out."""
        return [
            function
            for module_name in sorted(self.tree.modules)
            if not _is_test(module_name)
            for function in self._functions_of(module_name)
            if not function.name.startswith("_")
        ]

    def signature_params(self, ref: str) -> frozenset[str] | None:
        """The names `ref` declares, whether or not it also takes `**`; None when it cannot be read from source."""
        module_name, _, name = ref.partition(":")
        described = [function for function in self._functions_of(module_name) if function.name == name]
        if not described:
            return None
        return frozenset(parameter.name for parameter in described[-1].parameters)

    @cached_property
    def file_digests(self) -> dict[str, str]:
        """A digest of each file, by its path below the folder."""
        return {
            os.path.relpath(source.path, self.tree.root): sha256_digits(source.text)
            for source in self.tree.modules.values()
            if source.text is not None
        }

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256()
        for name, source in sorted(self.tree.modules.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(source.text or b"").digest())
        return digest.hexdigest()[:16]

    def fingerprint(self) -> str:
        """Equal for equal code: 16 hexadecimal digits over all sources."""
        return self._digest


def sha256_digits(text: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a file."""
    return hashlib.sha256(text).hexdigest()[:16]


def _is_shipped(module_name: str) -> bool:
    return any(module_name == part or module_name.startswith(f"{part}.") for part in SHIPPED_MODULES)


def _is_test(module_name: str) -> bool:
    parts = module_name.split(".")
    return "tests" in parts or parts[-1].startswith("test_") or parts[-1] == "conftest"

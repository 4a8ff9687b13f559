"""Python's import system, taught to load plugin modules from a captured tree.

`sys.modules` holds the modules of one generation at a time, normally the newest. A module of an older
generation that is needed only now (a later step of a run in flight) is loaded from that generation's own
sources. What is *not* promised: an `import` statement inside a function of an older generation, executed after
a newer one was loaded, finds the newer module.

A path hook rather than a plain `sys.path` entry, for three reasons: sources come from the capture and not from
a folder that may be changing, a cached `.pyc` with the same second and size as the edit is never used, and a
plugin called like a module of Python or of an installed package cannot hide it.
"""

import importlib
import importlib.machinery
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from liberty.plugins.tree import Source, Tree

IMPORT_PATIENCE_SECONDS = 30.0
"""How long one plugin's top-level code may hold up the loading of others before they go on without it."""

_log = logging.getLogger("liberty.plugins")


class Generation:
    """A captured tree and the modules loaded from it so far."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.loaded: dict[str, ModuleType] = {}
        self.superseded = False


class _CapturedLoader(SourceFileLoader):
    """Executes a module from captured bytes; data files and resources come from the folder as usual."""

    def __init__(self, name: str, source: Source) -> None:
        super().__init__(name, source.path)
        self._text = source.text or b""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature of the import system
        code: CodeType = self.source_to_code(self._text, self.path)
        return code

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - the signature of the import system
        return importlib.util.decode_source(self._text)


class _Finder:
    """Finds modules of one plugins folder, in the generation that is being loaded or installed."""

    def __init__(self, root: str, path: str) -> None:
        self._root = root
        self._compiled = FileFinder(path, (ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES))

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        source = _imports.generation_for(self._root).tree.modules.get(fullname)
        if source is None:
            # Only below a plugin: a compiled top-level module could hide an installed one.
            spec = self._compiled.find_spec(fullname, target) if "." in fullname else None
            return spec if spec is not None and spec.loader is not None else None
        if source.text is None:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [source.path]
            return spec
        return importlib.util.spec_from_file_location(
            fullname,
            source.path,
            loader=_CapturedLoader(fullname, source),
            submodule_search_locations=[str(Path(source.path).parent)] if source.is_package else None,
        )

    def invalidate_caches(self) -> None:
        self._compiled.invalidate_caches()


class _Imports:
    """The process-wide state behind plugin imports: there is one `sys.modules`."""

    def __init__(self) -> None:
        self.roots: dict[str, Callable[[], Generation]] = {}
        self.installed: Generation | None = None
        self._loading = threading.local()
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._busy_with = ""

    def hook(self, path: str) -> _Finder:
        for root in self.roots:
            if path == root or path.startswith(root + os.sep):
                return _Finder(root, path)
        raise ImportError(f"{path} is not in a plugins folder")

    def generation_for(self, root: str) -> Generation:
        loading: Generation | None = getattr(self._loading, "generation", None)
        for candidate in (loading, self.installed):
            if candidate is not None and candidate.tree.root == root:
                return candidate
        return self.roots[root]()

    def load(self, generation: Generation, name: str) -> ModuleType:
        with self._take_turn(name):
            before = self.installed
            if before is not generation:
                self._install(generation)
            outer = getattr(self._loading, "generation", None)
            self._loading.generation = generation
            try:
                return importlib.import_module(name)
            finally:
                self._loading.generation = outer
                if generation.superseded and before is not None and before is not generation:
                    self._install(before)

    def _install(self, generation: Generation) -> None:
        if self.installed is not None:
            self._take_out(self.installed)
        for name in generation.tree.modules:
            sys.modules.pop(name, None)
        sys.modules.update(generation.loaded)
        self.installed = generation
        importlib.invalidate_caches()

    def _take_out(self, generation: Generation) -> None:
        for name in generation.tree.modules:
            module = sys.modules.pop(name, None)
            if module is not None:
                generation.loaded[name] = module

    def forget(self, root: str) -> None:
        with self._guard:
            self.roots.pop(root, None)
            if self.installed is not None and self.installed.tree.root == root:
                self._take_out(self.installed)
                self.installed = None

    @contextmanager
    def _take_turn(self, name: str) -> Iterator[None]:
        turn = self._turn
        while not turn.acquire(timeout=IMPORT_PATIENCE_SECONDS):
            with self._guard:
                if turn is self._turn:
                    _log.warning(
                        "liberty.plugins: importing %s has not ended within %g s; going on without it",
                        self._busy_with,
                        IMPORT_PATIENCE_SECONDS,
                    )
                    self._turn = threading.Lock()
                turn = self._turn
        try:
            self._busy_with = name
            yield
        finally:
            turn.release()


_imports = _Imports()


def load(generation: Generation, name: str) -> ModuleType:
    """Import `name` as `generation` has it. Runs the module's top-level code; raises whatever that raises."""
    return _imports.load(generation, name)


def register(root: str, newest: Callable[[], Generation]) -> None:
    """Serve imports from `root`, and put it first on `sys.path` unless it is there already."""
    _imports.roots[root] = newest
    if _imports.hook not in sys.path_hooks:
        sys.path_hooks.insert(0, _imports.hook)
    _drop_finders(root)
    if root not in sys.path:
        sys.path.insert(0, root)


def unregister(root: str) -> None:
    """Undo `register`, and take the modules of `root` out of `sys.modules`."""
    _imports.forget(root)
    if root in sys.path:
        sys.path.remove(root)
    _drop_finders(root)


def hidden_by(name: str, root: str) -> str | None:
    """What a plugin called `name` would hide, in words; None when it hides nothing."""
    if name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return f"Python's own module {name!r}"
    here = {root, os.path.realpath(root), "", str(Path.cwd())}
    spec = PathFinder.find_spec(name, [entry for entry in sys.path if entry not in here])
    if spec is not None and spec.loader is not None:
        return f"the installed package {name!r}"
    return None


def _drop_finders(root: str) -> None:
    for path in list(sys.path_importer_cache):
        if path == root or path.startswith(root + os.sep):
            del sys.path_importer_cache[path]

"""The plugins folder over time: each change on disk becomes a new generation, and a run keeps the one it began with."""

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import Literal

from liberty.errors import Conflict, Invalid, NotFound, Problem, did_you_mean
from liberty.plugins import importer
from liberty.plugins.functions import PluginFunction, functions_in
from liberty.plugins.plugin_set import PluginSet
from liberty.plugins.tree import Scan, Source, Tree, TreeMoved, capture, scan

QUIET_SECONDS = 0.5
"""A folder that changed within this time may be half copied, so it is not taken over yet."""

SCAN_SHARE = 10
"""Scanning may cost one part in this many of a busy process: the next scan waits that multiple of the last one."""

LONGEST_SCAN_PAUSE_SECONDS = 0.2

NOTHING = Scan({}, {}, 0.0)

_log = logging.getLogger("liberty.plugins")


class Plugins:
    """The plugins folder. `snapshot()` gives the newest complete generation.

    With mode `restart` the first generation stays until the process ends or `reload` is called. Any change
    makes a new generation of *all* plugins, because they may import one another.
    """

    def __init__(self, plugins_dir: Path, mode: Literal["auto", "restart"] = "auto") -> None:
        self.root = os.path.abspath(plugins_dir)  # noqa: PTH100 - resolve() would pin a link that a deploy re-points
        self.mode = mode
        self._lock = threading.Lock()
        self._current: PluginSet | None = None
        self._seen = NOTHING
        self._taken_while_changing = False
        self._next_scan = 0.0
        self._moving: tuple[Scan, float] | None = None
        self._warned = False
        self._importable = False

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Plugins that are refused, e.g. because they would hide a module of Python."""
        return self.snapshot().tree.problems

    def install(self) -> tuple[Problem, ...]:
        """Make the folder importable and say so in the log; a missing folder is no error. Returns `problems`."""
        with self._lock:
            if self._current is None:
                self._adopt_first()
            self._make_importable()
            return self._required().tree.problems

    def uninstall(self) -> None:
        """Take the folder and its modules out of the import system again."""
        with self._lock:
            importer.unregister(self.root)
            self._importable = False

    def snapshot(self) -> PluginSet:
        """The generation that a run beginning now uses. Cheap when nothing changed; never runs user code."""
        with self._lock:
            self._look()
            if self._moving is not None and not self._warned:
                self._warn_moving()
            return self._required()

    async def settled_snapshot(self, patience_seconds: float = 1.0) -> PluginSet:
        """Like `snapshot`, but a folder that has just changed gets a moment to become quiet first."""
        deadline = time.monotonic() + patience_seconds
        while True:
            with self._lock:
                self._look()
                if self._moving is None:
                    return self._required()
            if time.monotonic() >= deadline:
                return self.snapshot()
            await asyncio.sleep(0.05)

    def reload(self, name: str) -> list[str]:
        """Take over the folder as it is now, at once; returns the modules of plugin `name`.

        Raises NotFound for an unknown plugin, Invalid when one of its files is no Python, Conflict while the
        folder is being written to. In these cases the old generation stays.
        """
        try:
            seen = scan(self.root)
            tree = _without_hiding(capture(self.root, seen))
        except TreeMoved as error:
            raise Conflict(
                f"{self.root} is changing right now; reload {name!r} again when it is complete"
            ) from error
        if name not in tree.plugin_names():
            known = tree.plugin_names()
            raise NotFound(f"no plugin {name!r} in {self.root}{did_you_mean(name, known)}")
        modules = tree.modules_of(name)
        _check_syntax(name, {module: tree.modules[module] for module in modules})
        with self._lock:
            self._adopt(tree, seen)
        return modules

    def functions(self) -> list[PluginFunction]:
        """Every public function a `python` step may call."""
        return self.snapshot().functions()

    def signature_params(self, ref: str) -> frozenset[str] | None:
        """See `PluginSet.signature_params`."""
        return self.snapshot().signature_params(ref)

    def _look(self) -> None:
        if self._current is None:
            self._adopt_first()
            return
        began = time.monotonic()
        if self.mode == "restart" or began < self._next_scan:
            return
        unchanged = not self._taken_while_changing and self._moving is None and self._seen.still_true()
        seen = self._seen if unchanged else scan(self.root)
        ended = time.monotonic()
        self._next_scan = ended + min((ended - began) * SCAN_SHARE, LONGEST_SCAN_PAUSE_SECONDS)
        same = seen.stamps == self._seen.stamps
        if same and not self._taken_while_changing:
            self._moving = None
            if not _is_fresh(seen):
                self._seen = seen
        elif self._quiet(seen, ended):
            self._take_over(seen)
        elif not same and (self._moving is None or self._moving[0].stamps != seen.stamps):
            self._moving = (seen, ended)

    def _quiet(self, seen: Scan, now: float) -> bool:
        # Against the machine's own clock, because the file system stamps files with it. A share whose clock
        # runs ahead makes stamps that are never old enough; then an unchanged scan decides.
        if not _is_fresh(seen):
            return True
        return (
            self._moving is not None
            and self._moving[0].stamps == seen.stamps
            and now - self._moving[1] >= QUIET_SECONDS
        )

    def _take_over(self, seen: Scan) -> None:
        try:
            tree = capture(self.root, seen)
        except TreeMoved:
            self._moving = (seen, time.monotonic())
            return
        tree = _without_hiding(tree)
        if tree.modules == self._required().tree.modules:
            self._note(seen)
        else:
            self._adopt(tree, seen)

    def _adopt_first(self) -> None:
        for _ in range(10):
            seen = scan(self.root)
            try:
                tree = capture(self.root, seen)
            except TreeMoved:
                continue
            self._adopt(_without_hiding(tree), seen)
            return
        self._adopt(Tree(self.root, {}, ()), Scan({}, {}, time.time()))

    def _adopt(self, tree: Tree, seen: Scan) -> None:
        before = self._current
        self._current = PluginSet(before.number + 1 if before else 1, tree)
        self._note(seen)
        self._make_importable()
        for problem in tree.problems:
            _log.error("liberty.plugins: %s", problem)
        if before is not None:
            before.generation.superseded = True
            _log.info(
                "liberty.plugins generation %d: %s", self._current.number, _difference(before.tree, tree)
            )

    def _note(self, seen: Scan) -> None:
        self._seen = seen
        self._taken_while_changing = _is_fresh(seen)
        self._moving = None
        self._warned = False

    def _make_importable(self) -> None:
        if not self._importable and Path(self.root).is_dir():
            importer.register(self.root, lambda: self._required().generation)
            self._importable = True
            _log.info("liberty.plugins importable from %s", self.root)

    def _required(self) -> PluginSet:
        if self._current is None:
            raise RuntimeError("no generation has been taken yet")
        return self._current

    def _warn_moving(self) -> None:
        self._warned = True
        _log.warning(
            "liberty.plugins: files in %s are still changing; runs keep generation %d until they are quiet for %g s",
            self.root,
            self._required().number,
            QUIET_SECONDS,
        )


def _is_fresh(seen: Scan) -> bool:
    return time.time() - seen.newest_change < QUIET_SECONDS


def _without_hiding(tree: Tree) -> Tree:
    hidden = {name: what for name in tree.plugin_names() if (what := importer.hidden_by(name, tree.root))}
    if not hidden:
        return tree
    problems = tuple(
        Problem(
            f"plugin {name!r} would hide {what}; it is not loaded. Rename it",
            file=tree.modules[name].path,
            key=name,
        )
        for name, what in hidden.items()
    )
    kept = {name: source for name, source in tree.modules.items() if name.partition(".")[0] not in hidden}
    return Tree(tree.root, kept, problems)


def _check_syntax(plugin: str, modules: dict[str, Source]) -> None:
    problems = []
    for name, source in modules.items():
        try:
            functions_in(name, source)
        except (SyntaxError, ValueError, RecursionError) as error:
            problems.append(Problem(str(error), file=source.path, line=getattr(error, "lineno", None)))
    if problems:
        raise Invalid(f"plugin {plugin!r} is not loaded: {problems[0]}", problems=problems)


def _difference(before: Tree, after: Tree) -> str:
    changed = sorted(
        name
        for name in before.modules.keys() | after.modules.keys()
        if before.modules.get(name) != after.modules.get(name)
    )
    if not changed:
        return "loaded again, nothing changed"
    more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
    return f"changed {', '.join(changed[:5])}{more}"

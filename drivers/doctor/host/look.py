"""The machine that is looked at: all its files below one root folder.

So a test (or a rescue system) can show another machine's tree.
"""

import collections.abc
import itertools
import os
import re
import sys
import time

from .result import CannotLook
from .tools import disk_free, kernel_clock, no_tool, run_tool

MIB = 1024 * 1024


class Host:
    """The machine that is looked at.

    Args:
        root: folder that stands for /; with another than / neither programs nor the kernel are asked.
        interface: network interface to look at, by default the first of the card's driver.
        to: endpoint that frames shall go to, e.g. ``"tcp://192.0.2.1:5570"``.
        data: folder that recordings go to.
        tool, sleep, clock_state, free, uid, groups, python: what is not a file; given by tests.
    """

    def __init__(
        self,
        root: str = "/",
        *,
        interface: "str | None" = None,
        to: "str | None" = None,
        data: str = "/",
        tool: "collections.abc.Callable[[list[str]], str] | None" = None,
        sleep: "collections.abc.Callable[[float], None]" = time.sleep,
        clock_state: "collections.abc.Callable[[], bool | None] | None" = None,
        free: "collections.abc.Callable[[str], int]" = disk_free,
        uid: "int | None" = None,
        groups: "collections.abc.Iterable[int] | None" = None,
        python: "tuple[int, int]" = sys.version_info[:2],
    ) -> None:
        real = root == "/"
        self.root, self.interface, self.to, self.data = root, interface, to, data
        self.tool = tool or (run_tool if real else no_tool)
        self.sleep, self.free, self.python = sleep, free, python
        self.clock_state = clock_state or (kernel_clock if real else lambda: None)
        self.uid = os.geteuid() if uid is None else uid
        self.groups = set(list(os.getgroups()) + [os.getegid()] if groups is None else groups)

    def path(self, path: str) -> str:
        """Where the file lies on this machine."""
        return os.path.join(self.root, path.lstrip("/"))

    def exists(self, path: str) -> bool:
        """Whether it is there, a dangling link counts."""
        return os.path.lexists(self.path(path))

    def data_of(self, path: str, most: int = 4 * MIB) -> bytes:
        """Its first bytes.

        Raises:
            CannotLook: it is not there or may not be read.
        """
        try:
            with open(self.path(path), "rb") as file:
                pieces = iter(lambda: file.read(65536), b"")  # procfs refuses reads of megabytes
                return b"".join(itertools.islice(pieces, most // 65536))
        except OSError as error:
            raise CannotLook("cannot read {}: {}".format(path, error.strerror)) from error

    def text(self, path: str) -> str:
        """Its text, stripped; as `data_of`."""
        return self.data_of(path).decode("utf-8", "replace").strip()

    def number(self, path: str) -> int:
        """Its number; as `data_of`, also if it holds none."""
        found = self.text(path)
        try:
            return int(found, 0)
        except ValueError:
            raise CannotLook("{} holds {!r}, no number".format(path, found[:40])) from None

    def names(self, path: str) -> "list[str]":
        """Names in a folder, sorted; none if there is no such folder.

        Raises:
            CannotLook: it may not be read.
        """
        try:
            return sorted(os.listdir(self.path(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise CannotLook("cannot list {}: {}".format(path, error.strerror)) from error

    def link(self, path: str) -> str:
        """Last name of what a link points to, empty if it is no link."""
        try:
            return os.path.basename(os.readlink(self.path(path)))
        except OSError:
            return ""

    def may(self, path: str, want: int) -> bool:
        """Whether this user may read (4) or write (2) it, by owner, group and mode."""
        try:
            info = os.stat(self.path(path))
        except OSError as error:
            raise CannotLook("cannot look at {}: {}".format(path, error.strerror)) from error
        mode = info.st_mode
        shift = 6 if info.st_uid == self.uid else 3 if info.st_gid in self.groups else 0
        return self.uid == 0 or (mode >> shift & want) == want

    def holders(self, path: str) -> "list[str]":
        """Processes that have it open.

        Raises:
            CannotLook: none is seen, but other users' processes may not be looked into.
        """
        found, hidden = [], 0
        pids = [name for name in self.names("/proc") if name.isdigit()]
        if not pids:
            raise CannotLook("/proc shows no processes")
        for pid in pids:
            folder = "/proc/{}/fd".format(pid)
            try:
                opened = self.names(folder)
            except CannotLook:
                hidden += 1
                continue
            for name in opened:
                try:
                    if os.readlink(self.path(folder + "/" + name)) == path:
                        found.append(pid)
                        break
                except OSError:
                    continue
        if hidden and not found:
            raise CannotLook("{} processes of other users cannot be looked into; run as root".format(hidden))
        return found

    def capable(self, bit: int) -> bool:
        """Whether this process has the capability (proc(5), CapEff)."""
        match = re.search(r"^CapEff:\s*([0-9a-fA-F]+)", self.text("/proc/self/status"), re.MULTILINE)
        if match is None:
            raise CannotLook("/proc/self/status names no capabilities")
        return bool(int(match.group(1), 16) >> bit & 1)

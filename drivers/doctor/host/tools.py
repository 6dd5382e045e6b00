"""What no file tells: programs, the kernel's clock, room on the disk."""

import shutil
import subprocess

from .result import CannotLook


def run_tool(words: "list[str]") -> str:
    """Standard output of a program.

    Raises:
        CannotLook: it is not there, fails or takes longer than 5 s.
    """
    if shutil.which(words[0]) is None:
        raise CannotLook("{} is not installed".format(words[0]))
    try:
        out = subprocess.check_output(words, stderr=subprocess.STDOUT, timeout=5)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotLook("{} fails: {}".format(" ".join(words), error)) from error
    return out.decode("utf-8", "replace")


def no_tool(words: "list[str]") -> str:
    """For another root than /: this machine's programs know nothing of it.

    Raises:
        CannotLook: always.
    """
    raise CannotLook("{} is not asked about another root folder".format(words[0]))


def kernel_clock() -> "bool | None":
    """Whether the kernel counts its clock as synchronised (adjtimex(2)); None if it cannot be asked."""
    try:
        import ctypes  # a package of its own on OpenWRT
    except ImportError:
        return None
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "adjtimex"):
        return None
    state = libc.adjtimex(ctypes.create_string_buffer(1024))  # modes 0: only reads
    return None if state < 0 else bool(state != 5)  # TIME_ERROR


def disk_free(path: str) -> int:
    """Bytes free on the file system of this path."""
    return shutil.disk_usage(path).free

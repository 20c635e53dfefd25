"""A Python that is to tinysearch as one on Windows: what only POSIX systems have is not there.

As ``sitecustomize.py`` on ``PYTHONPATH`` it holds for worker processes too. What hides is what tinysearch itself
imports: libraries of this system need theirs.
"""

from __future__ import annotations

import builtins
import importlib
import types
from typing import Any

# Of the standard library's modules, those whose documentation says "Availability: Unix".
MODULES = {"crypt", "curses", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog"}
MODULES |= {"termios", "tty"}
# Attributes of others, likewise.
ATTRIBUTES = {
    "asyncio": {"add_signal_handler"},
    "multiprocessing": {"get_all_start_methods"},
    "os": {
        *("chown", "chroot", "confstr", "ctermid", "eventfd", "fchdir", "fchmod", "fchown", "fdatasync", "fork"),
        *("forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority"),
        *(
            "getresuid",
            "getsid",
            "getuid",
            "initgroups",
            "killpg",
            "lchown",
            "lockf",
            "memfd_create",
            "mkfifo",
            "mknod",
        ),
        *("nice", "openpty", "pathconf", "pidfd_open", "pipe2", "posix_fadvise", "posix_fallocate", "posix_spawn"),
        *("pread", "preadv", "pwrite", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sendfile"),
        *("setegid", "seteuid", "setgid", "setpgid", "setpriority", "setsid", "setuid", "statvfs", "sync", "sysconf"),
        *("tcgetpgrp", "ttyname", "uname", "wait", "wait3", "wait4", "waitid", "WNOHANG", "WIFSIGNALED", "WTERMSIG"),
    },
    "select": {"epoll", "kqueue", "poll"},
    "signal": {
        *("SIGALRM", "SIGBUS", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP"),
        *("SIGUSR1", "SIGUSR2", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    },
    "socket": {"AF_UNIX", "socketpair"},
    "time": {"clock_settime", "tzset"},
}
# What tells the systems apart.
OTHERWISE: dict[str, dict[str, Any]] = {"sys": {"platform": "win32"}, "os": {"name": "nt"}}


class Hidden(types.ModuleType):
    """A module of which some things are not there, or are as on Windows; it is the real one in all else."""

    def __init__(self, real: types.ModuleType) -> None:
        super().__init__(real.__name__)
        vars(self)["_real"] = real

    def __getattr__(self, name: str) -> Any:
        real = vars(self)["_real"]
        if name in OTHERWISE.get(real.__name__, {}):
            return OTHERWISE[real.__name__][name]
        if name in ATTRIBUTES.get(real.__name__, ()):
            raise AttributeError(f"module {real.__name__!r} of Windows has no attribute {name!r}")
        return getattr(real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(vars(self)["_real"], name, value)


class HiddenTypes(Hidden):
    """``ctypes`` where the C library has no name and no ``prctl``."""

    @staticmethod
    def CDLL(name: str | None, *args: Any) -> Any:  # noqa: N802
        raise TypeError(f"ctypes.CDLL({name!r}): on Windows it takes the name of a library")


def hide() -> None:
    """Have tinysearch import what Windows would give it."""
    real = builtins.__import__
    hidden = {name: Hidden(importlib.import_module(name)) for name in ATTRIBUTES.keys() | OTHERWISE.keys()}
    hidden["ctypes"] = HiddenTypes(importlib.import_module("ctypes"))

    def look(name: str, *rest: Any, **more: Any) -> types.ModuleType:
        where = (rest[0] if rest else more.get("globals")) or {}
        if str(where.get("__name__", "")).split(".")[0] == "tinysearch":
            if name.split(".")[0] in MODULES:
                raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
            if name in hidden:
                return hidden[name]
        return real(name, *rest, **more)

    builtins.__import__ = look


hide()

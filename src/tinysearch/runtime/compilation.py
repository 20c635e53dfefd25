"""A persistent cache of programs that XLA compiles for JAX, so that a network is compiled only once."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

# Maximum bytes of the cache; minimum seconds of a compilation that is cached.
_MOST = 2**30
_WORTH = 0.1


def keep_compiled() -> None:
    """Enable JAX's compilation cache in this process, unless JAX's own settings name a folder or disable it.

    Processes share the folder. This changes the settings of JAX, so only processes that do nothing but train call it.
    """
    import jax

    config: Any = jax.config
    if config.jax_compilation_cache_dir is not None or not config.jax_enable_compilation_cache:
        return
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        # The cache only saves time.
        return
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_compilation_cache_max_size", _MOST)
    config.update("jax_persistent_cache_min_compile_time_secs", _WORTH)


def cache_folder(cpuinfo: Path = Path("/proc/cpuinfo")) -> Path:
    """Return the folder of compiled programs, one for each kind of CPU, because machines may share a home folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home, "tinysearch", f"xla-{_processor(cpuinfo)}")


def _processor(cpuinfo: Path) -> str:
    """Return a hash of the instruction set of this CPU."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        lines = []
    known = next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    return hashlib.sha256(f"{platform.machine()} {known}".encode()).hexdigest()[:12]

"""Keeping what XLA has compiled for JAX, so that a network that is trained again is not compiled again."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

# Bytes that are kept, the latest ones; seconds from which on compiling is worth a file.
_MOST = 2**30
_WORTH = 0.1


def keep_compiled() -> None:
    """Have JAX keep what it compiles in this process, unless its own settings say where or that it is not to.

    Processes share the folder. It changes the settings of JAX: only processes that do nothing but train call it.
    """
    import jax

    config: Any = jax.config
    if config.jax_compilation_cache_dir is not None or not config.jax_enable_compilation_cache:
        return
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        # It only saves time.
        return
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_compilation_cache_max_size", _MOST)
    config.update("jax_persistent_cache_min_compile_time_secs", _WORTH)


def cache_folder(cpuinfo: Path = Path("/proc/cpuinfo")) -> Path:
    """Return where compiled programs are kept: a folder for each kind of processor, since homes may be shared."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home, "tinysearch", f"xla-{_processor(cpuinfo)}")


def _processor(cpuinfo: Path) -> str:
    """Return a mark of the instructions that this processor knows."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        lines = []
    known = next((line for line in lines if line.startswith(("flags", "Features"))), platform.processor())
    return hashlib.sha256(f"{platform.machine()} {known}".encode()).hexdigest()[:12]

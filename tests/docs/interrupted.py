"""Runs a cell in a real Jupyter kernel, interrupts it once it has shown some words, runs it again, prints what it saw.

A process of its own: what the kernel's client leaves open is not the tests' to answer for.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

PATIENCE = 250.0


def text_of(cell: Any) -> str:
    """Return all that a cell shows, without its markup."""
    shown = [output.get("text", "") + output.get("data", {}).get("text/html", "") for output in cell.outputs]
    return " ".join(re.sub("<[^>]*>", "", "".join(shown)).split())


def main() -> None:
    """Run the code of the first argument; the second is the folder to run it in, the others are the words."""
    code, folder, *words = sys.argv[1:]
    cell = nbformat.v4.new_code_cell(code)
    client = NotebookClient(nbformat.v4.new_notebook(cells=[cell]), timeout=PATIENCE, kernel_name="python3")
    ended: list[str] = []

    def run() -> None:
        try:
            client.execute_cell(cell, 0)
        except CellExecutionError as error:
            ended.append(error.ename)

    with client.setup_kernel(cwd=folder):
        running = threading.Thread(target=run, daemon=True)
        running.start()
        until, tick = time.monotonic() + PATIENCE, threading.Event()
        while not all(word in text_of(cell) for word in words) and running.is_alive() and time.monotonic() < until:
            tick.wait(0.1)
        first = text_of(cell)
        asyncio.run(client.km.interrupt_kernel())
        running.join(PATIENCE)
        client.execute_cell(cell, 0)
        print(json.dumps({"first": first, "ended": ended, "again": text_of(cell)}), flush=True)


if __name__ == "__main__":
    main()

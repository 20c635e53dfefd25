"""Draw a picture of a command's output for the README: run the command, and draw its output with Rich.

    python tools/terminal.py -o docs/images/run.svg --lines 24 -- tinysearch run --budget 5000 --trials 6 --seed 0

The command runs in the working directory; its stderr, with the progress, is shown but not drawn.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import subprocess
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

WIDTH = 110


def main() -> None:
    """Run the command and draw its output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=40, help="maximum number of lines to draw")
    parser.add_argument("--shown", help="the command to show instead, for example without some options")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    surroundings = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = subprocess.run(arguments.command, stdout=subprocess.PIPE, text=True, check=True, env=surroundings)
    console = Console(width=WIDTH, record=True, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {arguments.shown or shlex.join(arguments.command)}", style="bold"))
    for line in done.stdout.splitlines()[: arguments.lines]:
        console.print(Text.from_ansi(line), soft_wrap=True)
    picture = console.export_svg(title="tinysearch", theme=DIMMED_MONOKAI, unique_id="terminal")
    # Use the fonts of the viewer instead of fonts from the network.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
    arguments.output.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()

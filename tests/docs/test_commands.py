from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_commands_is_that_of_the_command_line() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "commands.py"))
    text = made["PAGE"].read_text(encoding="utf-8")
    assert text == made["page"](), "python tools/commands.py writes it anew"
    assert "`--worker-memory SIZE`" in text
    assert "`-b, --budget N`" in text

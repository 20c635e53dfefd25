"""The three documented hand-designed baselines and their reproduction."""

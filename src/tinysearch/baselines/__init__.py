"""The three documented hand-made models and their reproduction."""

"""Images in: where they come from, what is checked, how they are split."""

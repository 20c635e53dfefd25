"""Neural architecture search under a parameter budget."""

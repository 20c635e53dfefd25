"""Training in local processes."""

"""Executors, which run training jobs."""

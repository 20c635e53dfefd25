"""Readers: one for each kind of source, behind ``tinysearch.data.loading.load``."""

"""Readers, one for each kind of source, which ``tinysearch.data.loading.load`` uses."""

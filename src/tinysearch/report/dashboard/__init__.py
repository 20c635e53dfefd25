"""The dashboard: a live page of the results of a store."""

"""Architectures as values, their cost, the search space and the budget."""

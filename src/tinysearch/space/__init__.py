"""What may be built: architectures as values, their cost, the search space and the budget."""

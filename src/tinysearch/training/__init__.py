"""Training of one candidate to one measurement: recipes, candidates, jobs, batches, checkpoints, trainer."""

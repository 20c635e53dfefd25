"""One candidate to one measurement: recipe, candidate, job, batches, checkpoint, trainer."""

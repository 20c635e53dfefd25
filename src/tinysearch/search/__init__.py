"""The search itself: strategies, proposals, runs, revalidation, evaluation."""

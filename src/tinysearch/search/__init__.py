"""How it is searched: strategies, proposals, runs, revalidation, evaluation."""

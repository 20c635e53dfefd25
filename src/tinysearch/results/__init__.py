"""Results of runs: records, the store, the leaderboard, and the files next to the store."""

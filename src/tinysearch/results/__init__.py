"""What came out: records, the store that keeps them, the leaderboard and its renderings."""

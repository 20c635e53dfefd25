"""What came out: records, the store, the leaderboard, files beside the store."""

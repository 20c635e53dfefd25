"""KerasTuner under a budget."""

"""The search as KerasTuner's oracle and tuner, and KerasTuner's oracles as strategies."""

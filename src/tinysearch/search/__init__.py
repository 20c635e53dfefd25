"""How the space is searched: recipes, data, training, strategies, and the oracle and tuner on top of KerasTuner."""

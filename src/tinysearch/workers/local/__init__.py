"""Trainings in processes of this machine."""

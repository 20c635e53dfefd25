"""The public Python API: ``Study``, and the functions behind ``import tinysearch``."""

"""What everything runs on: Keras and its backend, versions, cores, signals."""

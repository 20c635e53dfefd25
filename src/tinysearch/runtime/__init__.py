"""The runtime environment: Keras and its backend, versions, cores, memory, devices, signals, plug-ins."""

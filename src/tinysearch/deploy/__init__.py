"""A trained network on its way to a device."""

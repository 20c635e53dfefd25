"""The report of runs that go on, as a page that changes with them."""

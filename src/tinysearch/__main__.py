"""``python -m tinysearch`` is the command line."""

from tinysearch.cli.app import main

main()

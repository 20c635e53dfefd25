"""Entry point of the command line as ``python -m tinysearch``."""

from tinysearch.cli.app import main

main()

"""Runs `smsctl` as `python -m connector.entrypoints.cli`."""

from connector.entrypoints.cli import main

main()

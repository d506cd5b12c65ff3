"""The command line: words in, text and exit codes out."""

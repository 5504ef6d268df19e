"""The command line: one command table, its two spellings (verbs and cmdlets), and what they print.

The rule of this folder: `table.py` says what exists; `options.py` and `powershell.py` read it, `perform.py` does it,
`verbs.py` and `cmdlets.py` print it. Nothing here decides anything about networks: it calls the Python API.
"""

"""The kill proof: the real server is killed hundreds of times under load, then three ledgers are compared.

`python -m torture` (or `make torture`). What judges here shares no code with what is judged: everything is read over
HTTP and from the command line, as an auditor would.
"""

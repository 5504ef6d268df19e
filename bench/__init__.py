"""What ContainerNet costs, side by side with the peers that do the same work; started by ``bench/run``.

The rule of this folder: figures are compared only within one run, the compared alternate round by round, and each is
given as a median with its tenth and ninetieth percentile. It measures what a user has: the command and the public API.
"""

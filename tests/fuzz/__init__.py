"""Fuzzers: they look for nonsense that clustersim takes for sense, or that it answers with an error of somebody else.

``python -m tests.fuzz NAME [--seconds N] [--seed S]`` runs one for a while; each is tried small in the tests.
"""

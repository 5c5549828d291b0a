"""An invented nation: people, what befalls them, and the deliveries that tell of it, with the truth beside them.

Belongs here: the one model from which the shipped samples and the benchmarks' nation come (``model/``: queries say who
the people are and what befalls them, tables say how often), and the ways to deliver it. Not here: what a delivery must
look like (``contracts``), any real record, or anything the monitor itself computes.
"""

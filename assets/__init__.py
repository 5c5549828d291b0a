"""Dagster assets around the functions of ``triple_aim``: one module per floor, each a loop over content.

Not here: computation. The floors do not import each other; they share ``assets.resources``.
"""

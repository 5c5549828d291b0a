"""Thin Dagster skins over ``triple_aim``, one module a floor, each a loop over content.

Not here: anything that computes. The floors do not import each other; what they share is ``assets.resources``.
"""

"""Methods that need more than sums of a region: one module a method, beside the plain route in ``compute``.

Not here: formulas (``triple_aim.stats``).
"""

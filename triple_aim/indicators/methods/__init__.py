"""Methods that need more than regional sums of one cube, one module per method.

Not here: crude and standardised rates and means (``compute``), formulas (``triple_aim.stats``).
"""

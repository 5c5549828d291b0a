"""Generates the reference in ``docs/reference`` from the content and the commands of the engine.

Not here: explanations (``docs/methods``, ``docs/how-to``).
"""

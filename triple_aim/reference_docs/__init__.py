"""The generated reference in ``docs/reference``, from the models and commands that run.

Not here: explanations (``docs/methods``, ``docs/how-to``).
"""

"""Makes jobs, schedules and sensors of the assets; ``definitions`` assembles them.

Not here: computation (``triple_aim``), or the assets themselves (``assets``).
"""

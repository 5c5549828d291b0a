"""How many examples a property gets: 30 in ``make test``, 150 in ``make test-slow``.

Examples are the same in every run. They have no deadline: on a busy machine they would fail.
"""

from __future__ import annotations

import os

from hypothesis import settings

for name, examples in {"quick": 30, "thorough": 150}.items():
    settings.register_profile(name, deadline=None, derandomize=True, max_examples=examples)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

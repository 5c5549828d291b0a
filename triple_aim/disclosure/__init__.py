"""Statistical disclosure control: which cells may be seen.

Rules in ``primary`` and ``secondary``, what adds up in ``additions``, the gate in ``protect``.
"""

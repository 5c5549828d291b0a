"""The engine of the Triple Aim monitor: from deliveries to published indicators.

Not here: the orchestrator. Dagster is used in ``assets`` and ``pipelines``, which import this package; this package
never imports them.
"""

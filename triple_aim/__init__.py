"""The Triple Aim engine: deliveries in, published indicators out.

A library that knows no orchestrator and no screen. Dagster lives in ``assets`` and ``pipelines``,
which import this package and are never imported by it.
"""

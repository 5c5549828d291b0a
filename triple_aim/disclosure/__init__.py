"""Statistical disclosure control: which cells may be seen. Pure rules in ``primary``, the gate in ``protect``."""

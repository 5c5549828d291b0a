"""An invented nation: its persons, deliveries about them, and the true value of every indicator.

Not here: the indicators of the monitor. This room shares no code with the rooms that compute them, so that a comparison
finds errors in either.
"""

from triple_aim.synthetic.delivery_files import write_nation
from triple_aim.synthetic.nation import Nation
from triple_aim.synthetic.samples import write_samples

__all__ = ["Nation", "write_nation", "write_samples"]

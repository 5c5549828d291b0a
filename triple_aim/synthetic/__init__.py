"""An invented nation: persons, the deliveries about them, and the true value of every indicator.

Not here: the product. This room shares no code with the rooms that compute, so that it can contradict them.
"""

from triple_aim.synthetic.delivering import write_nation
from triple_aim.synthetic.nation import Nation
from triple_aim.synthetic.samples import write_samples

__all__ = ["Nation", "write_nation", "write_samples"]

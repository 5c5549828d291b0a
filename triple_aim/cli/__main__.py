"""``python -m triple_aim.cli``: the same as the command ``triple-aim``."""

from triple_aim.cli import main

main()

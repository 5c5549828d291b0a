"""``python -m triple_aim.reference_docs`` writes the generated reference."""

from triple_aim.reference_docs.pages import main

main()

"""The secret of an installation: made before its first release, and refused when it cannot be that of the releases.

Not here: the file itself and what the secret is for (``triple_aim.perturbation``).
"""

from __future__ import annotations

from triple_aim.definitions import Project
from triple_aim.errors import ProjectError
from triple_aim.perturbation import SAMPLES_SECRET, read_or_make_secret
from triple_aim.release.store import history

HOW_TO = "docs/how-to/keep-the-secret.md"


def installation_secret(project: Project) -> bytes:
    """The secret that decides the noise of every published number.

    Raises
    ------
    ProjectError
        If releases exist and the secret is gone, if others may read it, or if it is the public one of the samples and
        the deliveries are not the samples.
    """
    path = project.perturbation_secret
    secret = read_or_make_secret(path, is_published=bool(history(project.publication)))
    if secret == SAMPLES_SECRET and project.deliveries != (project.root / "data_samples" / "deliveries").resolve():
        raise ProjectError(
            "this is the secret of the samples, which everybody knows",
            str(path),
            f"remove perturbation_secret from the settings: {HOW_TO}",
        )
    return secret

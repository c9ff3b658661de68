"""The packages of a wheel, which pyproject.toml cannot list: they have other names than in the checkout.

A wheel holds ``pipeline/`` as ``batchscope`` and ``conf/`` as ``batchscope/conf``. An editable install keeps the name
``pipeline``, so that a checkout runs as ``python -m pipeline`` from any folder.
"""

import sys
from pathlib import Path

from setuptools import find_packages, setup

NAME = "pipeline" if "editable_wheel" in sys.argv else "batchscope"
ROOT = Path(__file__).resolve().parent

wings = [
    f"{NAME}{wing.removeprefix('pipeline')}" for wing in find_packages(str(ROOT), include=["pipeline", "pipeline.*"])
]
groups = [".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("conf/**/*.yaml")]
configuration = [] if NAME == "pipeline" else sorted({f"{NAME}.{group}" for group in groups})

setup(
    packages=wings + configuration,
    package_dir={NAME: "pipeline"} | ({f"{NAME}.conf": "conf"} if configuration else {}),
    package_data={f"{NAME}.report": ["*.css"], f"{NAME}.tracking": ["*.sql"]}
    | {name: ["*.yaml"] for name in configuration},
    entry_points={
        "console_scripts": [f"batchscope = {NAME}.__main__:main"],
        # What `mlflow server --app-name batchscope` serves.
        "mlflow.app": [f"batchscope = {NAME}.tracking.dashboard_app:create_app"],
    },
)

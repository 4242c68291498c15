"""Says in one sentence when this Python cannot run the project."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 12):
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"Debut needs Python 3.11 or 3.12, this is {version}; run `make PYTHON=python3.11 …`.")

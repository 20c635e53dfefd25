from __future__ import annotations

import sys

import numpy as np

from tinysearch.runtime.provenance import provenance


def test_it_names_what_results_depend_on() -> None:
    found = provenance()
    assert found["numpy"] == np.__version__
    assert found["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert found["tensorflow"]
    assert found["tinysearch"]
    assert "commit" in found

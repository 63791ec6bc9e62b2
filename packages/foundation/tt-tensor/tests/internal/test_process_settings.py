"""What is set for the whole process: BLAS's threads, and whether the memory of freed arrays stays."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import tt_tensor as tt
from tt_tensor._blas import blas_threads, can_set_blas_threads


@pytest.mark.skipif(not can_set_blas_threads(), reason="NumPy uses a library that cannot be told its threads")
def test_matrix_products_get_the_number_of_threads() -> None:
    before = tt.get_num_threads()
    try:
        for count in (1, 2):
            tt.set_num_threads(count)
            assert blas_threads() == tt.get_num_threads() == count
    finally:
        tt.set_num_threads(before)


FAULTS = """
import resource
import numpy as np, tt_tensor

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        np.ones(1 << 19, np.float32)  # 2 MiB; from 4 on NumPy asks for huge pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

for keep in (None, False, True):
    assert keep is None or tt_tensor.keep_freed_memory(keep)
    faults()
    print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's mallopt")
def test_memory_of_freed_arrays_is_kept_from_the_import_on_and_given_back_if_asked() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, timeout=60, check=True)
    imported, given_back, kept = (int(line) for line in done.stdout.split())
    assert imported < 100
    assert given_back > 10_000
    assert kept < 100

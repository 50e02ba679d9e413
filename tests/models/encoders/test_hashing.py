import subprocess
import sys
from pathlib import Path

import numpy as np

from models.encoders.hashing import HashingEncoder

ROOT = Path(__file__).resolve().parents[3]


def test_another_process_gives_the_same_vectors():
    script = "from models.encoders.hashing import HashingEncoder as H; print(H(8).encode_query(['Köchin']).tolist())"
    command = [sys.executable, "-c", script]
    printed = {
        subprocess.run(
            command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {f"{HashingEncoder(8).encode_query(['Köchin']).tolist()}\n"}


def test_fingerprint_depends_on_the_dimension():
    assert HashingEncoder(64).fingerprint != HashingEncoder(128).fingerprint
    assert HashingEncoder(64).fingerprint == HashingEncoder(64).fingerprint


def test_case_does_not_matter():
    lower, upper = HashingEncoder().encode_query(["staff nurse", "STAFF NURSE"])
    np.testing.assert_array_equal(lower, upper)


def test_a_typo_stays_near():
    right, typo, other = HashingEncoder().encode_query(["electrician", "electrican", "waiter"])
    assert right @ typo > 0.5 > right @ other

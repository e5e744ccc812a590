"""`python -m muniment` is the same program as `muniment`."""

import subprocess
import sys


def test_the_module_runs_the_program() -> None:
    done = subprocess.run([sys.executable, "-m", "muniment", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "register" in done.stdout

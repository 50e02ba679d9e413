"""Known weaknesses of locked packages, by pip-audit; where the network is missing, one line and success.

python scripts/audit.py deploy/requirements.lock
"""

import subprocess
import sys

_OFFLINE = ("ConnectionError", "NewConnectionError", "Max retries exceeded", "ServiceError", "Name or service not")
_UNCHECKED = "could not be audited"


def main() -> int:
    """1 if a weakness is known, 0 if none is or nobody could be asked."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run([*command, "--requirement", sys.argv[1]], capture_output=True, text=True, check=False)
    if done.returncode and any(sign in done.stderr for sign in _OFFLINE):
        sys.stderr.write("audit: the database of weaknesses cannot be reached; nothing was checked\n")
        return 0
    lines = done.stdout.splitlines()
    sys.stdout.writelines(f"{line}\n" for line in lines if _UNCHECKED not in line)
    sys.stderr.write(done.stderr)
    if unchecked := sum(_UNCHECKED in line for line in lines):
        sys.stderr.write(f"audit: {unchecked} packages are unknown to the database reached from here: not checked\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

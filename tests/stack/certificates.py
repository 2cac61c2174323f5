"""An authority of a test's own, and certificates of servers on loopback that it has signed."""

from __future__ import annotations

import subprocess
from pathlib import Path


def authority(folder: Path, name: str = "ca") -> Path:
    """Make a key and a certificate that may sign others, and return the certificate."""
    made = folder / f"{name}.pem"
    _openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             f"/CN={name} of tests", "-keyout", f"{name}.key", "-out", made.name)  # fmt: skip
    return made


def signed(folder: Path, ca: Path, host: str = "IP:127.0.0.1,DNS:localhost", name: str = "server") -> tuple[Path, Path]:
    """Return a certificate for a host, signed by an authority in the same folder, and its key."""
    (folder / f"{name}.ext").write_text(f"subjectAltName={host}\nbasicConstraints=CA:FALSE\n")
    _openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
             f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", ca.name, "-CAkey", f"{ca.stem}.key", "-CAcreateserial", "-days",
             "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
    return folder / f"{name}.pem", folder / f"{name}.key"


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

"""Packages of any Debian suite, fetched and unpacked without root and without touching the system.

apt gets a sources list and a state of its own, so that a suite other than the machine's can be
asked for. The mirror is the one that the machine's own apt is configured with; apt checks
signatures and hashes as always. Knows nothing of kernels.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEPENDS = re.compile(r"^\s*\|?(?:Pre)?Depends: ([^<\s]+)", re.MULTILINE)


class SetupFailed(Exception):
    """The guest cannot be set up here; the message says why and what to do."""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program and return its standard output; raises SetupFailed with its errors."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SetupFailed(f"{words[0]} is missing: the guest needs Debian's packages") from error
    if done.returncode:
        raise SetupFailed(f"{' '.join(words)} failed:\n{done.stderr.strip()}")
    return done.stdout


def mirror() -> str:
    """Return the address of the Debian archive that this machine's apt uses."""
    listed = run(
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(ORIGIN) $(LABEL)",
        "Created-By: Packages",
    )
    for line in listed.splitlines():
        address, *rest = line.split()
        if rest == ["Debian", "Debian"]:
            return address
    raise SetupFailed("apt knows no Debian archive: run `apt-get update` on a Debian machine")


class Archive:
    """A few suites of Debian, seen through an apt of their own in `folder`."""

    def __init__(self, folder: Path, suites: Sequence[str]) -> None:
        self._folder = folder
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        sources = folder / "sources.list"
        address = mirror()
        sources.write_text(
            "".join(f"deb [signed-by={KEYRING}] {address} {suite} main\n" for suite in suites)
        )
        self._options = [
            f"-oDir::State::lists={folder}/lists",
            f"-oDir::Cache={folder}",
            "-oDir::State::status=/dev/null",
            f"-oDir::Etc::sourcelist={sources}",
            "-oDir::Etc::sourceparts=-",
            "-oDir::Etc::preferencesparts=-",
            "-oAPT::Update::Post-Invoke-Success::=",
            "-oAPT::Sandbox::User=",
            f"-oAPT::Default-Release={suites[0]}",
        ]
        run("apt-get", *self._options, "--quiet", "update")

    def depends(self, package: str) -> list[str]:
        """Return the names that `package` of the first suite depends on."""
        return _DEPENDS.findall(run("apt-cache", *self._options, "depends", package))

    def fetch(self, packages: Sequence[str], tree: Path) -> list[str]:
        """Unpack `packages` into `tree`; return "name_version_architecture" of each."""
        downloads = self._folder / "downloads"
        downloads.mkdir(exist_ok=True)
        run("apt-get", *self._options, "--quiet", "download", *packages, cwd=downloads)
        files = sorted(downloads.glob("*.deb"))
        for file in files:
            run("dpkg", "-x", file, tree)
            file.unlink()
        return [file.stem for file in files]

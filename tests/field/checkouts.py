"""Clones of public projects, and the page that both field runs write into."""

from __future__ import annotations

import subprocess
from pathlib import Path


def find(checkouts: Path, repository: str) -> Path | None:
    """The clone of `owner/name`, under its name or `owner+name`."""
    owner, _, name = repository.rpartition("/")
    for folder in (name, f"{owner}+{name}"):
        for place in (checkouts / folder, checkouts / folder / "repo"):
            if (place / ".git").exists() or (place / "HEAD").exists():
                return place
    return None


def git(place: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(place), *arguments], check=True, capture_output=True).stdout


def commit_of(place: Path) -> str:
    return git(place, "rev-parse", "HEAD").decode().strip()


def write_part(page: Path, title: str, text: str) -> None:
    """Put `text` under the heading `title`, and leave the page's other parts as they are."""
    old = page.read_text(encoding="utf-8") if page.exists() else "# Field results\n"
    head, *parts = old.split("\n## ")
    kept = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}
    kept[title] = text.strip()
    body = [f"## {name}\n\n{content}\n" for name, content in kept.items()]
    page.write_text("\n".join([head.rstrip() + "\n", *body]), encoding="utf-8")

"""How facts are written on pages, and the templates' own vocabulary."""

import hashlib
from pathlib import Path

from flask import Flask, url_for

from app.searching import HEADINGS, SORTS
from app.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    app.add_template_filter(duration)
    app.add_template_filter(count)
    static = Path(app.static_folder or "")
    stamps = {str(path.relative_to(static)): _stamp(path) for path in static.rglob("*") if path.is_file()}

    def asset(name: str) -> str:
        """The address of a static file; it changes with the file, so browsers may keep it for long."""
        return url_for("static", filename=name, v=stamps[name])

    app.jinja_env.globals.update(asset=asset, HEADINGS=HEADINGS, SORTS=SORTS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 86400


def duration(seconds: float) -> str:
    """m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: 1 song, 12,345 songs."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _stamp(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]

"""docs/reference/api.md, as the API renders it from the OpenAPI document that it serves itself."""

from __future__ import annotations


def render() -> str:
    """The page."""
    from copilot_api.reference import markdown

    return markdown()

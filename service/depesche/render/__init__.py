"""Write a brief for people, as plain text, as Markdown or as HTML.

All start from the API's message, so that a brief looks the same wherever it was made. Of a brief
that somebody has edited, each tells how many of its sentences that are.
"""

from depesche.render.as_html import html
from depesche.render.as_markdown import markdown
from depesche.render.as_text import text, translation

__all__ = ["html", "markdown", "text", "translation"]

"""Files of other people, read into the text of a release, within limits.

document = await extract(content, "release.docx")
release = Release(document.text, document.content_format, document.title)
"""

from depesche.documents.document import DEFAULT, Document, Limits
from depesche.documents.kinds import MEDIA_TYPES, SUFFIXES
from depesche.documents.process import extract
from depesche.documents.reading import read

__all__ = ["DEFAULT", "MEDIA_TYPES", "SUFFIXES", "Document", "Limits", "extract", "read"]

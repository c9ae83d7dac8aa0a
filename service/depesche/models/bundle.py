"""Files brought by hand: a folder, or an archive of one, of which only what is asked for is read.

Nothing is unpacked by the archive's own names or wishes, so none of its paths can lead anywhere.
"""

import fnmatch
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from depesche.errors import ModelError
from depesche.models.manifest import HubFile
from depesche.models.safety import HEAD_BYTES, head_fault, name_fault

__all__ = ["Bundle", "open_bundle"]

_MOST_ENTRIES = 100_000
_CHUNK = 2**20


class Bundle(ABC):
    """What was brought.

    Attributes:
        path: where it is.
        files: size in bytes of each file in it, by its path, of parts between slashes.
    """

    def __init__(self, path: Path, files: Iterable[tuple[str, int]]) -> None:
        """List a bundle's files.

        Raises:
            ModelError: two have the same path, or there are too many.
        """
        self.path = path
        listed: dict[str, int] = {}
        for name, size in files:
            if len(listed) >= _MOST_ENTRIES:
                raise ModelError(f"{path} holds more than {_MOST_ENTRIES} files")
            normal = str(PurePosixPath(name))
            if normal in listed:
                raise ModelError(f"{path} holds {normal} twice")
            listed[normal] = size
        self.files: Mapping[str, int] = listed

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Open one of the files."""

    def find(self, files: Sequence[HubFile]) -> tuple[str, Sequence[str]] | None:
        """Find the folder in it, "" for the top, that directly holds what is wanted.

        Returns:
            The folder and the names of the files in it, or None where there is no such folder.

        Raises:
            ModelError: more than one is, or more than one file fits a name.
        """
        homes: dict[str, list[str]] = {}
        for path in self.files:
            homes.setdefault(_home(path), []).append(PurePosixPath(path).name)
        found = {home: self._fitting(home, names, files) for home, names in homes.items()}
        whole = {home: names for home, names in found.items() if names is not None}
        if len(whole) > 1:
            raise ModelError(f"{self.path} holds more than one such model: {', '.join(whole)}")
        return next(iter(whole.items()), None)

    def _fitting(
        self, home: str, names: Sequence[str], files: Sequence[HubFile]
    ) -> Sequence[str] | None:
        fitting: list[str] = []
        for file in files:
            fit = fnmatch.filter(names, file.name)
            if len(fit) > 1:
                where = home or "its top"
                raise ModelError(f"{self.path}: more than one {file.name} in {where}")
            if not fit and not file.optional:
                return None
            fitting += fit
        return fitting

    def read(self, name: str, limit: int) -> bytes:
        """Read a small file.

        Raises:
            ModelError: it is larger than the limit, or can't be read.
        """
        if self.files[name] > limit:
            raise ModelError(f"{self.path}: {name} has more than {limit} bytes")
        with self._opened(name) as content:
            return content.read(limit)

    def copy(self, name: str, into: Path) -> None:
        """Copy a file into a folder under the last part of its name.

        Raises:
            ModelError: it isn't of a safe kind, is longer than announced, or can't be read.
            OSError: there is no room.
        """
        short = PurePosixPath(name).name
        if fault := name_fault(short):
            raise ModelError(f"{self.path}: {name} {fault}")
        announced = self.files[name]
        with self._opened(name) as content, (into / short).open("xb") as target:
            chunk = self._next(content, name)
            if fault := head_fault(short, chunk[:HEAD_BYTES]):
                raise ModelError(f"{self.path}: {name} {fault}")
            while chunk:
                target.write(chunk)
                if target.tell() > announced:
                    break
                chunk = self._next(content, name)
            if target.tell() != announced:
                raise ModelError(f"{self.path}: {name} hasn't the {announced} bytes announced")

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        try:
            content = self.open(name)
        except _BROKEN as error:
            raise self._broken(error) from error
        with content:
            yield content

    def _next(self, content: IO[bytes], name: str) -> bytes:
        """Read on; errors of reading must not pass for those of writing."""
        try:
            return content.read(_CHUNK)
        except _BROKEN as error:
            raise self._broken(error) from error
        except OSError as error:
            raise ModelError(f"{self.path}: {name} can't be read: {error.strerror}") from error

    def _broken(self, error: Exception) -> ModelError:
        return ModelError(f"{self.path} is a broken archive: {error}")


class _Folder(Bundle):
    def __init__(self, path: Path) -> None:
        super().__init__(path, self._walk(path))

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")

    @staticmethod
    def _walk(path: Path) -> Iterator[tuple[str, int]]:
        root = path.resolve()
        for folder, _, names in os.walk(path):
            for name in names:
                file = Path(folder, name)
                status = file.stat() if file.resolve().is_relative_to(root) else file.lstat()
                if stat.S_ISLNK(status.st_mode):
                    raise ModelError(f"{file} is a link out of {path}; copy it with cp -L")
                if stat.S_ISREG(status.st_mode):
                    yield file.relative_to(path).as_posix(), status.st_size


class _Tar(Bundle):
    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self._archive = archive
        super().__init__(path, ((m.name, m.size) for m in archive if m.isreg()))

    def open(self, name: str) -> IO[bytes]:
        member = next(m for m in self._archive if m.isreg() and _is(m.name, name))
        content = self._archive.extractfile(member)
        if content is None:
            raise AssertionError("it is a file, so it can be read; this is a bug")
        return content


class _Zip(Bundle):
    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = (entry for entry in archive.infolist() if not entry.is_dir())
        super().__init__(path, ((entry.filename, entry.file_size) for entry in entries))

    def open(self, name: str) -> IO[bytes]:
        entry = next(e for e in self._archive.infolist() if _is(e.filename, name))
        return self._archive.open(entry)


# The last are those of archives cut short, of methods that aren't known, and of encrypted ones.
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, RuntimeError),
)


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a folder, a tar archive (plain, or by gzip, bzip2 or xz) or a zip archive.

    Raises:
        ModelError: it can't be read, or is none of these.
    """
    try:
        if path.is_dir():
            yield _Folder(path)
        elif tarfile.is_tarfile(path):  # first, since one that ends with a .npz looks like a zip
            with tarfile.open(path) as archive:
                yield _Tar(path, archive)
        else:
            with zipfile.ZipFile(path) as zipped:
                yield _Zip(path, zipped)
    except _BROKEN as error:
        raise ModelError(f"{path} is no folder, and no tar or zip archive that is whole") from error
    except OSError as error:
        if error.filename is not None and Path(str(error.filename)) == path:
            raise ModelError(f"{path} can't be read: {error.strerror}") from error
        raise


def _home(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def _is(written: str, name: str) -> bool:
    return str(PurePosixPath(written)) == name

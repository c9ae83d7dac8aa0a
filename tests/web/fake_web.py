"""`depesche web` with fakes for models, as a process: python -m tests.web.fake_web OPTIONS."""

import sys

from depesche.cli import main
from depesche.inference.fake import FakeBackend
from tests.support import fake_loader

if __name__ == "__main__":
    sys.exit(main(["web", *sys.argv[1:]], loader=fake_loader(FakeBackend(str.upper))))

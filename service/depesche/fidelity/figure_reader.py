"""Reads the figures of a text: numbers, dates, times, percentages and amounts of money."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from depesche.fidelity.dates import ENGLISH_MONTHS, ENGLISH_WEEKDAYS
from depesche.fidelity.lexicon import Term, Token, lex
from depesche.fidelity.money import say_amount
from depesche.fidelity.numerals import fold, say
from depesche.fidelity.quantities import Quantity, is_term, read_quantity
from depesche.types import Language, Span

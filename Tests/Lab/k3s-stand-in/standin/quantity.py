"""Quantities such as 500m and 1Gi: their value, and the one way Kubernetes writes each."""

import re
from fractions import Fraction

_FORM = re.compile(r"^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+)?$")
_TENS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_TWOS = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


class QuantityError(ValueError):
    """Text that is no quantity."""


def parse(text):
    """Return (value, family): the family is "2", "10" or "e", which decides how it is written."""
    match = _FORM.match(str(text))
    if not match:
        raise QuantityError("quantities must match the regular expression "
                            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    number = Fraction(match.group(2).rstrip(".") or "0") * (-1 if match.group(1) == "-" else 1)
    suffix = match.group(3) or ""
    if suffix in _TWOS:
        return number * 1024 ** _TWOS[suffix], "2"
    if suffix in _TENS:
        return number * Fraction(10) ** _TENS[suffix], "10"
    return number * Fraction(10) ** int(suffix[1:]), "e"


def value(text):
    """The number a quantity stands for."""
    return parse(text)[0]


def canonical(text):
    """A quantity as the API gives it back: the largest unit that leaves a whole number."""
    number, family = parse(text)
    if number == 0:
        return "0"
    if family == "2" and number.denominator == 1 and abs(number) >= 1024:
        whole, step = int(number), 0
        while step < 6 and whole % 1024 == 0:
            whole, step = whole // 1024, step + 1
        return str(whole) + ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][step]
    for suffix, power in sorted(_TENS.items(), key=lambda pair: -pair[1]):
        scaled = number / Fraction(10) ** power
        if scaled.denominator == 1:
            return f"{int(scaled)}{suffix if family != 'e' else f'e{power}' if power else ''}"
    scaled = number * 10 ** 9
    return f"{-(-scaled.numerator // scaled.denominator)}n"

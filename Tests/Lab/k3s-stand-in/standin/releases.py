"""When releases of k3s were built: `make-k3s` stamps it in, and the k3s-upgrade image compares it."""

import re

# "minor.patch" -> the day of its +k3s1, or a day for each k3sN
DATES = {
    "1.28.5": "2023-12-27", "1.29.0": "2023-12-22", "1.29.1": "2024-02-06", "1.29.2": "2024-02-29",
    "1.29.3": "2024-03-25", "1.29.4": "2024-04-25", "1.29.5": "2024-05-22", "1.29.6": "2024-06-25",
    "1.29.6+k3s2": "2024-07-03", "1.29.7": "2024-07-31", "1.29.8": "2024-08-21", "1.29.9": "2024-09-19",
    "1.29.10": "2024-10-26", "1.29.11": "2024-12-04", "1.29.12": "2024-12-18", "1.29.13": "2025-01-28",
    "1.29.14": "2025-02-27", "1.29.15": "2025-03-25",
    "1.30.0": "2024-05-10", "1.30.1": "2024-05-22", "1.30.2": "2024-06-25", "1.30.2+k3s2": "2024-07-03",
    "1.30.3": "2024-07-31", "1.30.4": "2024-08-21", "1.30.5": "2024-09-19", "1.30.6": "2024-10-26",
    "1.30.7": "2024-12-04", "1.30.8": "2024-12-18", "1.30.9": "2025-01-28", "1.30.10": "2025-02-27",
    "1.30.11": "2025-03-25", "1.30.12": "2025-05-01", "1.30.13": "2025-05-23", "1.30.14": "2025-06-30",
    "1.30.14+k3s2": "2025-07-26",
}
FIRST_MINOR, FIRST_MONTH = 24, 2022 * 12 + 4  # v1.24.0: May 2022; three minors a year, a patch a month


def build_date(version):
    """The build date of a release; of one that is not in the table, about when it would have been built."""
    number = re.sub(r"-rc\d+", "", version.lstrip("v"))
    patch, _, revision = number.partition("+")
    found = DATES.get(f"{patch}+{revision}") or DATES.get(patch)
    if found:
        return found + "T00:00:00Z"
    major, minor, point = (int(part) for part in patch.split("."))
    month = FIRST_MONTH + (major - 1) * 240 + (minor - FIRST_MINOR) * 4 + point
    return f"{month // 12:04}-{month % 12 + 1:02}-15T00:00:00Z"

"""What prestage replaces, in its own manner: one process, every file, a loop over the records, rows of CSV.

Usage: python3 baseline.py FOLDER OUTPUT
"""

import csv
import gzip
import json
import os
import re
import sys

DOTTED = re.compile(r"^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$")


def main(folder: str, output: str) -> None:
    rows = 0
    with open(output, "w", newline="") as target:
        writer = csv.writer(target)
        for root, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                if not name.endswith(".json.gz"):
                    continue
                with gzip.open(os.path.join(root, name)) as source:
                    records = json.loads(source.read()).get("Records", [])
                for record in records:
                    identity = record.get("userIdentity") or {}
                    address = record.get("sourceIPAddress") or ""
                    if identity.get("type") == "AWSService" or not DOTTED.match(address):
                        continue
                    writer.writerow([identity.get("principalId"), address])
                    rows += 1
    print(rows)


main(*sys.argv[1:])

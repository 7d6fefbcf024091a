"""A state means the same in SQL and in TypeScript, on every combination."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import subprocess
from typing import Any

from jupyterlab_notify.limits import NOTIFICATION_TYPES
from jupyterlab_notify.storage import state
from jupyterlab_notify.storage.fields import FIELDS, Kind

from ..support.servers import ROOT

#: The conditions in SQL by the functions of ``src/state.ts`` that must say the same: ``ACTIVE``
#: is ``isActive``, and so on.
PAIRS = {
    "isInInbox" if name == "INBOX" else f"is{name.title()}": condition
    for name, condition in vars(state).items()
    if name.isupper() and isinstance(condition, str) and not name.endswith("_USER_STATES")
}

#: Runs those functions on the rows that it reads.
PROGRAM = """
const ts = require('typescript');
const fs = require('fs');
const source = fs.readFileSync('src/state.ts', 'utf8');
const options = { compilerOptions: { module: 'commonjs', target: 'es2020' } };
const module_ = { exports: {} };
new Function('module', 'exports', ts.transpileModule(source, options).outputText)(
  module_, module_.exports
);
const { rows, names } = JSON.parse(fs.readFileSync(0, 'utf8'));
const defined = Object.keys(module_.exports).filter(name => /^is[A-Z]/.test(name)).sort();
console.log(JSON.stringify({
  defined,
  said: rows.map(row => names.map(name => module_.exports[name](row)))
}));
"""

#: The columns of times that a condition names, by their names on the wire.
COLUMNS = {
    field.wire: field.column
    for field in FIELDS
    if field.wire is not None
    and field.kind is Kind.TIME
    and any(field.column in condition for condition in PAIRS.values())
}


def combinations() -> list[dict[str, Any]]:
    """Return a row on the wire for every combination that a state can depend on."""
    when = (None, "2030-01-01T00:00:00.000Z")
    each = itertools.product(
        itertools.product(when, repeat=len(COLUMNS)),
        (False, True),
        (None, True, False, 0, 5000),
        NOTIFICATION_TYPES,
    )
    return [
        {
            **dict(zip(COLUMNS, times, strict=True)),
            "banner": banner,
            "autoClose": auto_close,
            "type": type_,
        }
        for times, banner, auto_close, type_ in each
    ]


def in_sql(rows: list[dict[str, Any]]) -> list[list[bool]]:
    db = sqlite3.connect(":memory:")
    db.execute(f"CREATE TABLE n (number, {', '.join(COLUMNS.values())}, banner, auto_close, type)")
    for number, row in enumerate(rows):
        close = row["autoClose"]
        db.execute(
            f"INSERT INTO n VALUES ({', '.join('?' * (len(COLUMNS) + 4))})",
            (
                number,
                *(None if row[name] is None else 1 for name in COLUMNS),
                int(row["banner"]),
                None if close is None else json.dumps(close),
                row["type"],
            ),
        )
    conditions = ", ".join(f"coalesce({condition}, 0)" for condition in PAIRS.values())
    found = db.execute(f"SELECT {conditions} FROM n ORDER BY number").fetchall()
    db.close()
    return [[bool(value) for value in row] for row in found]


def in_typescript(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[bool]]]:
    node = shutil.which("node")
    assert node is not None
    ran = subprocess.run(
        [node, "-e", PROGRAM],
        input=json.dumps({"rows": rows, "names": list(PAIRS)}),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    answer = json.loads(ran.stdout)
    return answer["defined"], answer["said"]


def test_every_state_means_the_same_in_sql_and_in_typescript() -> None:
    rows = combinations()
    defined, said = in_typescript(rows)
    assert defined == sorted(PAIRS), "a state that only one side knows"
    for row, sql, typescript in zip(rows, in_sql(rows), said, strict=True):
        assert dict(zip(PAIRS, sql, strict=True)) == dict(zip(PAIRS, typescript, strict=True)), row
    # Make sure that the comparison could fail: each state occurs both true and false.
    for number in range(len(PAIRS)):
        assert {values[number] for values in said} == {False, True}

/**
 * The database of a server that the tests run. It is written to directly, for
 * states that no sender can bring about.
 */
import { execFileSync } from 'child_process';

import type { Lab } from './lab';

const SCRIPT = `
import json, sqlite3, sys
path, statements = sys.argv[1], json.load(sys.stdin)
db = sqlite3.connect(path, timeout=5)
with db:
    for sql, *parameters in statements:
        if db.execute(sql, parameters).rowcount != 1:
            sys.exit(f"{sql} {parameters} changed nothing, or too much")
db.close()
`;

/** A statement, and the values of its question marks. */
export type Statement = [string, ...(string | number | null)[]];

/**
 * Run statements in one transaction; each has to change just one row.
 *
 * The `seq` is not increased: open pages do not learn of the change.
 */
export function write(lab: Lab, statements: Statement[]): void {
  // Python's SQLite is the one that made the file; Node 20 has none.
  execFileSync('python3', ['-c', SCRIPT, lab.database], {
    input: JSON.stringify(statements)
  });
}

/**
 * Let notifications be older than they are.
 *
 * @param times - by id, when each last asked for attention.
 */
export function backdate(lab: Lab, times: Record<string, Date>): void {
  write(
    lab,
    Object.entries(times).map(([id, time]) => [
      'UPDATE notifications SET updated_ms = ? WHERE id = ?',
      time.getTime(),
      id
    ])
  );
}

const COPY = `
import json, sqlite3, sys
path, (id, count) = sys.argv[1], json.load(sys.stdin)
db = sqlite3.connect(path, timeout=5)
own = {
    "position": "state.seq + i",
    "seq": "state.seq + i",
    "id": "id || '-' || i",
    "message": "message || ' ' || i",
}
columns = [row[1] for row in db.execute("PRAGMA table_info(notifications)")]
with db:
    db.execute(
        f"""
        WITH RECURSIVE numbers (i) AS (
            SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?
        )
        INSERT INTO notifications ({", ".join(columns)})
        SELECT {", ".join(own.get(name, f"notifications.{name}") for name in columns)}
        FROM numbers, state, notifications WHERE id = ?
        """,
        [count, id],
    )
    db.execute("UPDATE state SET seq = seq + ?", [count])
db.close()
`;

/**
 * Copy a notification many times, each copy newer than the one before: pushing
 * so many would take long.
 */
export function copy(lab: Lab, id: string, count: number): void {
  execFileSync('python3', ['-c', COPY, lab.database], {
    input: JSON.stringify([id, count])
  });
}

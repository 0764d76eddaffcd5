"""Texts that end a string, a name, an array or a pattern in SQL and go on with something else, and where they are put.

Collected by what each would break out of, not by which product answers: quotes, dollar quotes, escapes, comments,
stacked statements, unions, waits, LIKE and full-text patterns, regular expressions, array and COPY text, bytes.
"""

WAIT_S = 20
"""How long the payloads that wait would make an answer take."""

PAYLOADS = (
    "'", "''", "\\'", "'--", "' --", "'/*", "*/'", '"', '";--', "')", "'))--", "';",
    "' OR '1'='1", "' OR 1=1--", "') OR ('1'='1", "')) OR 1=1--", "1 OR 1=1", "1) OR (1=1", "x' OR true OR 'x'='y",
    '" OR ""="', "\\' OR 1=1--", "%' OR '%'='", "' || (SELECT current_user) || '", "'||version()||'",
    "'; DROP TABLE record.resource; --", "'); DELETE FROM record.audit; --", "1; TRUNCATE record.history CASCADE",
    "'; UPDATE record.resource SET type = 0; --", "'; INSERT INTO record.audit DEFAULT VALUES; --",
    "'; CREATE TABLE injected (x int); --", "'; COPY (SELECT 1) TO PROGRAM 'true'; --",
    "'; ALTER ROLE CURRENT_USER SUPERUSER; --", "'; SET ROLE postgres; --", "'; COMMIT; --", "'; ROLLBACK; --",
    "' UNION SELECT usename, passwd FROM pg_shadow --", "' UNION ALL SELECT NULL, version(), NULL --",
    "x' AND 1=CAST((SELECT version()) AS int) --", "(SELECT rolpassword FROM pg_authid LIMIT 1)",
    f"'; SELECT pg_sleep({WAIT_S}); --", f"' || pg_sleep({WAIT_S}) || '", f"1 AND 1=(SELECT 1 FROM pg_sleep({WAIT_S}))",
    f"' OR (SELECT pg_sleep({WAIT_S})) IS NULL --",
    "$$", "$tag$; SELECT 1; $tag$", "$1", "$99", "%s", "%(name)s", "{0}", "{name}", ":name", "?", "${jndi:x}",
    "%", "_", "%%%", "\\", "\\\\", "\\%", "a\\_b", "x%' ESCAPE '!",
    "' & | ! <-> :*", "!!!", "a:*|b", "((", ".*", "(a+)+$", "[[:alpha:]]", "^(.|\\n)*$",
    "{}", "{a,b}", '{"a', "ARRAY[1]", "(1,2)", "\\N", "\\.", "\t\\.", "NULL", "null", "true", "-1", "1e400", "NaN",
    "0x27",
    "\\x27", "\\u0027 OR 1=1", "U&'\\0027'", "E'\\x27'", "CHR(39)", "\u02bc OR 1=1", "\uff07 OR 1=1--", "\u2019; --",
    "\u00bf' OR 1=1", "\u0000", "a\u0000' OR 1=1", "\r\n'; --", "\n--\n", "\u202e'", "\U0001f4a3'", "\ufffd'",
    "../../etc/passwd", "'\"`;--#", "#", ";", "|", "a|b'|c", "$", "a$b'$c", ",", "'" * 64, "(" * 200, "x" * 2_000 + "'",
)  # fmt: skip

PERSONAL = ("Canary-Okonkwo", "SCRAM-SHA-256", "PostgreSQL 1", "x86_64-pc-linux", "root:x:0", 'rolpassword":')
"""What no answer may show: another patient's name, hashes of passwords, the database's version, a file."""


def worded(payload: str, kind: str) -> tuple[str, ...]:
    """A payload as values of a search parameter's kind, where its parts would be."""
    match kind:
        case "token":
            return payload, f"{payload}|{payload}", f"|{payload}", f"http://loinc.org|{payload}"
        case "reference":
            return payload, f"Patient/{payload}", f"http://x/{payload}/1", f"{payload}/1"
        case "date":
            return payload, f"ge{payload}", f"2026-01-01{payload}", f"eq2026-01-01T00:00:00{payload}"
        case "number":
            return payload, f"gt{payload}", f"5{payload}"
        case "quantity":
            return payload, f"5|http://unitsofmeasure.org|{payload}", f"5|{payload}|mg", f"le5{payload}||mg"
        case "composite":
            return payload, f"{payload}${payload}", f"http://loinc.org|1${payload}", f"{payload}$gt5"
        case "special":
            return payload, f"1|2|3|{payload}", f"{payload}|2|3|km"
        case _:
            return payload, f"x{payload}x"

"""What the codes of MariaDB and MySQL mean, in words for those who read a database and for the ledger, which writes to
one."""

from collections.abc import Mapping
from typing import Literal

Word = Literal["away", "late", "login", "denied", "read_only", "schema", "missing", "damaged", "full"]
"""Nobody answers; it took too long or was ended; no login; no right to do this; nothing may be written; a table or a
column is not as expected; no such database; it is damaged; no room."""

CODES: Mapping[int, Word] = {
    **dict.fromkeys((1040, 1053, 1129, 1158, 1159, 1160, 1161, 1203, 1226, 1927), "away"),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 2014, 2055, 4031), "away"),
    **dict.fromkeys((1028, 1205, 1213, 1317, 1969, 3024), "late"),
    **dict.fromkeys((1044, 1045, 1130, 1698, 1820, 1862), "login"),
    **dict.fromkeys((2059, 2061, 3118, 3159, 4151), "login"),
    **dict.fromkeys((1142, 1143, 1227), "denied"),
    **dict.fromkeys((1290, 1792, 1836), "read_only"),
    **dict.fromkeys((1054, 1146, 1412), "schema"),
    **dict.fromkeys((126, 144, 145, 1034, 1194, 1932), "damaged"),
    **dict.fromkeys((1021, 1030, 1114), "full"),
    1049: "missing",
}
"""As their manuals list them, those of their engines (below 1000) and of the client (2000 to 2999) among them."""

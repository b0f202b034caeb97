"""Who may ask: the token of a request against that of a source, in constant time."""

import hmac

from exporter.core.api import Access, Api, Refusal


def refusal(api: Api, access: Access, header: str) -> Refusal | None:
    """Why a caller who sent this Authorization header (empty: none) is not let in; None where they are."""
    if access.public:
        return None
    if access.token is None:
        return "unconfigured"
    if (sent := api.bearer(header)) is None:
        return "missing"
    return None if same(sent, access.token.reveal()) else "wrong"


def same(sent: str, right: str) -> bool:
    """Whether two texts are equal, found out in a time that says nothing of where they differ.

    Headers that are no UTF-8 come with lone surrogates, which stand for their bytes.
    """
    return hmac.compare_digest(sent.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape"))

"""Words by which the names of operations tell what a call does, and how they are taken from names."""

from __future__ import annotations

import re

READ = frozenset(
    [
        *("get", "gets", "list", "lists", "search", "searches", "find", "finds", "query", "queries"),
        *("lookup", "count", "counts", "fetch", "fetches", "retrieve", "retrieves", "read", "reads"),
        *("return", "returns", "obtain", "obtains", "browse", "suggest", "autocomplete"),
    ]
)
LOOK = READ | {"check", "view", "show", "describe", "verify", "inspect"}
CHANGE = frozenset(
    [
        *("create", "add", "insert", "save", "update", "edit", "modify", "delete", "remove", "destroy"),
        *("purge", "clear", "reset", "submit", "start", "stop", "cancel", "send", "publish", "import"),
        *("export", "generate", "refresh", "register", "subscribe", "approve", "assign", "enable"),
        *("disable", "upload", "trigger", "invite", "revoke", "rotate", "replace", "upsert", "reserve"),
        *("buy", "purchase", "execute", "initiate", "pop", "consume", "acquire", "claim", "dequeue"),
        *("lease", "receive", "store", "write", "train", "crawl", "scrape", "book", "saved", "updates"),
        *("mark", "marks", "acknowledge", "unread", "reindex", "rebuild", "configure", "resync"),
    ]
)
"""An operation with one of these in its name is never taken for one that only reads."""
CHANGE_FIRST = CHANGE | frozenset(
    [
        *("set", "move", "copy", "merge", "restore", "archive", "lock", "unlock", "attach", "detach"),
        *("install", "deploy", "launch", "schedule", "sync", "apply", "activate", "deactivate", "rename"),
    ]
)
"""Nor one whose path, name or description begins with one of these, which in other places may be nouns."""
PROGRAM = frozenset(
    [
        *("sql", "esql", "nosql", "flux", "cypher", "gremlin", "sparql", "graphql", "mutation", "mutations"),
        *("script", "scripts", "statement", "statements", "d1", "influxql", "mongosh", "program", "code"),
    ]
)
"""What is sent is a program, and programs may write."""
ACT = frozenset(
    [
        *("create", "add", "update", "delete", "remove", "destroy", "purge", "clear", "reset", "send"),
        *("logout", "signout", "revoke", "cancel", "enable", "disable", "subscribe", "unsubscribe"),
        *("activate", "deactivate", "restart", "reboot", "shutdown", "trigger", "refresh", "generate"),
        *("execute", "register", "approve", "reject", "accept", "start", "stop", "pause", "resume"),
        *("publish", "mark", "set", "rotate", "unlock", "kill"),
    ]
)
DESTROY = frozenset(["delete", "destroy", "purge", "erase", "wipe", "terminate", "expunge"])
KEEP = frozenset(["update", "set", "get", "list", "configure", "show", "check"])
UNDONE = frozenset(
    [
        *("remove", "unassign", "cancel", "disable", "disassociate", "dissociate", "detach", "stop"),
        *("unlock", "unfollow", "unlink", "unstar", "unblock", "unpin", "unlike", "leave", "dismiss"),
        *("archive", "reset", "deactivate", "soft", "trash", "unsubscribe", "unset", "unschedule"),
        *("unsuspend", "unmute", "unshare", "revoke", "decline", "deny", "replace", "unenroll", "mark"),
    ]
)
"""A deletion that is called one of these takes back what can be given again."""
SEND = frozenset(["send", "resend", "broadcast", "dial", "tweet"])
SEND_LAST = frozenset(["send", "resend", "dial"])
"""Those that are no nouns, so that they count at the end of a name, too."""
SENT = frozenset(
    [
        *("message", "messages", "email", "emails", "sms", "mms", "call", "calls", "fax", "faxes"),
        *("tweet", "tweets", "mail", "mails"),
    ]
)
SENT_AS = SENT | {"text", "voice", "phone", "bulk", "batch", "chat", "direct", "private", "outbound", "new"}
"""What may stand before them in the last part of a path."""
KEPT = frozenset(
    [
        *("address", "addresses", "contact", "contacts", "entity", "entities", "external", "report"),
        *("reports", "resource", "resources", "record", "records", "allowed", "transport", "domain"),
    ]
)
"""What is made there is a record, or someone's address."""
RECORDED = frozenset(
    [
        *("event", "events", "metric", "metrics", "log", "logs", "trace", "traces", "telemetry", "data"),
        *("value", "values", "history", "sip", "command", "action", "typing", "heartbeat", "schedule"),
        *("incoming", "feedback", "validate", "verify"),
    ]
)
"""What is sent to the API alone and to no one behind it."""
PAY = frozenset(["pay", "pays", "refund", "refunds", "payout", "purchase", "buy", "reimburse", "disburse"])
PAY_IF_MONEY = frozenset(["transfer", "capture", "charge", "withdraw", "deposit", "confirm", "execute"])
MONEY = frozenset(
    [
        *("payment", "payments", "charge", "charges", "refund", "refunds", "payout", "payouts"),
        *("withdrawal", "withdrawals", "disbursement", "disbursements", "remittance", "remittances"),
        *("donation", "donations", "purchase", "purchases", "sale"),
    ]
)
MONEY_IF_FUNDS = frozenset(
    ["transfer", "transfers", "order", "orders", "invoice", "invoices", "subscription"]
)
FUNDS = frozenset(
    [
        *("payment", "payments", "fund", "funds", "money", "bank", "balance", "wallet", "payout", "payouts"),
        *("charge", "charges", "refund", "refunds", "amount", "currency", "funding", "checkout", "payer"),
    ]
)
MAKE = frozenset(
    [
        *("create", "creates", "post", "make", "makes", "new", "submit", "initiate", "start", "put", "add"),
    ]
)
UNREAL = frozenset(
    [
        *("preview", "simulate", "simulation", "estimate", "quote", "calculate", "validate", "dryrun", "dry"),
        *("plan", "plans", "price", "prices", "sandbox", "template", "templates", "draft", "drafts"),
        *("setting", "settings", "settlement", "register"),
    ]
)
"""What is only planned or tried, or is a price rather than a payment."""

_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z]+[0-9]?|[0-9]+")
_LONGEST = 300


def words(text: str) -> list[str]:
    """Return the words of a name or sentence in lower case; capitals, digits and marks part them."""
    return _WORD.findall(_BREAKS.sub(" ", text[:_LONGEST]).lower())


def segments(path: str) -> list[str]:
    """Return the segments of a path that are no variables, a method after a colon by itself."""
    plain = path.partition("?")[0].partition("#")[0]
    found: list[str] = []
    for segment in plain.split("/"):
        found.extend(part for part in segment.split(":") if part and "{" not in part)
    return found


def ends_in_variable(path: str) -> bool:
    """Whether a path ends in a variable, a format behind it or not, rather than in a word."""
    last = path.partition("?")[0].rstrip("/").rpartition("/")[2]
    return "{" in last and ":" not in last.rpartition("}")[2]


def stem(word: str) -> str:
    """Return a verb without ``ing``: ``uploading`` is ``upload``."""
    return word[:-3] if word.endswith("ing") and len(word) > 5 else word


def base(word: str) -> str:
    """Return a verb without the ending of the third person: ``deletes`` is ``delete``."""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word

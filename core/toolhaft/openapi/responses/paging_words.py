"""Names by which pages are asked for and told, as APIs write them, folded: ``page[size]`` is ``pagesize``."""

from __future__ import annotations

CURSORS = frozenset(
    {
        "cursor",
        "nextcursor",
        "pagecursor",
        "aftercursor",
        "endcursor",
        "startcursor",
        "pagetoken",
        "nexttoken",
    }
    | {"nextpagetoken", "paginationtoken", "continuationtoken", "continuation", "continue", "pageafter"}
    | {"startingafter", "startafter", "after", "afterid", "marker", "nextmarker", "bookmark", "scrollid"}
    | {"exclusivestartkey", "startkey", "pagingtoken", "cursortoken", "skiptoken", "nextpage", "nextpageid"}
    | {"pagestate", "resumptiontoken", "nextpagecursor", "paginationcursor", "maxid", "fromcursor", "pageid"}
)
"""Parameters that take a token."""
DOUBTFUL_CURSORS = frozenset(
    {"after", "continue", "continuation", "marker", "nextpage", "maxid", "afterid", "pageid"}
)
"""Parameters that take a token only if the answer has one, too: they also filter."""
LAST_ITEM = frozenset({"startingafter", "startafter"})
"""Parameters that take the id of the last item."""
PAGES = frozenset(
    {"page", "pagenumber", "pageno", "pagenum", "pageindex", "currentpage", "pagenr", "p", "pg"}
)
"""Parameters that take a page's number."""
OFFSETS = frozenset(
    {
        "offset",
        "skip",
        "start",
        "startat",
        "startindex",
        "pageoffset",
        "from",
        "firstresult",
        "first",
        "startrow",
    }
    | {"resultoffset", "recordoffset", "startposition", "startitem", "startrecord", "displaystart"}
)
"""Parameters that take a number of items to leave out."""
DOUBTFUL_OFFSETS = frozenset({"start", "from", "first"})
"""Those that mean a time or an address without a parameter for the size of a page beside them."""
SIZES = frozenset(
    {
        "limit",
        "pagesize",
        "perpage",
        "pagelimit",
        "maxresults",
        "maxitems",
        "top",
        "take",
        "rows",
        "itemsperpage",
    }
    | {"resultsperpage", "size", "count", "maxrecords", "maxkeys", "pagemax", "numresults", "recordsperpage"}
    | {
        "maxpagesize",
        "perpagecount",
        "pagecount",
        "maxcount",
        "num",
        "hitsperpage",
        "maxperpage",
        "maxentries",
    }
    | {"n", "limitto", "resultcount", "maximumresults", "resultlimit", "objectsperpage", "pagelength"}
    | {"displaysize", "maxreturn", "listsize", "batchsize"}
)
"""Parameters that take the number of items of a page."""
NEXT_TOKENS = (
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "nextpagecursor",
    "continuationtoken",
    "nextcontinuationtoken",
    "nextmarker",
    "nextpageid",
    "paginationtoken",
    "endcursor",
    "pagetoken",
    "cursor",
    "continuation",
    "continue",
    "scrollid",
    "bookmark",
    "lastevaluatedkey",
    "lastkey",
    "marker",
    "afterid",
    "lastid",
    "after",
    "nextkey",
    "nextpage",
    "nextoffset",
    "offset",
    "next",
)
"""Fields of answers that hold the next page's token, the surest first."""
NEXT_URLS = (
    "odatanextlink",
    "nextlink",
    "nextpageurl",
    "nexturl",
    "nextpagelink",
    "nextpageuri",
    "nexturi",
    "nexthref",
    "nextpage",
    "next",
)
"""Fields of answers that hold the next page's URL."""
AROUND = frozenset(
    {"meta", "metadata", "links", "link", "pagination", "paging", "pageinfo", "page", "responsemetadata"}
    | {"pager", "cursor", "cursors", "nextpage", "pageinformation", "listmeta", "resultset", "resultinfo"}
    | {"pages", "pagedata", "paginginfo", "paginationinfo", "nextlink", "next", "metapagination"}
)
"""Objects in answers that hold those fields."""
LISTS = (
    "data",
    "items",
    "results",
    "value",
    "values",
    "records",
    "entries",
    "list",
    "rows",
    "objects",
    "content",
    "hits",
    "resources",
    "elements",
    "collection",
)
"""Fields of answers that hold the items, the surest first."""
ASIDE = frozenset(
    {
        "warnings",
        "errors",
        "messages",
        "links",
        "included",
        "includes",
        "facets",
        "validationerrors",
        "notices",
    }
    | {"columns", "fields", "headers", "sort", "aggregations", "filters"}
)
"""Lists in answers that are not the items where there is another."""
NEVER = frozenset({"errors", "warnings", "validationerrors", "notices", "facets", "aggregations"})
"""Lists in answers that are not the items, unless the path ends in that word."""
MORE = frozenset(
    {"hasmore", "hasnext", "hasnextpage", "hasmoreitems", "more", "istruncated", "moredataavailable"}
)
"""Fields that say whether there is another page."""
LAST = frozenset({"islast", "islastpage", "last", "lastpage", "isend", "endofrecords"})
"""Fields that say, if true, that there is none."""
TOTALS = frozenset(
    {
        "total",
        "totalcount",
        "totalitems",
        "totalresults",
        "totalelements",
        "totalrecords",
        "totalsize",
        "recordcount",
    }
    | {"totalnumber", "totalrows", "fullcount", "nbhits", "totalentries", "totalhits"}
)
"""Fields that say how many items there are in all."""
TOTAL_PAGES = frozenset(
    {"totalpages", "pagecount", "pages", "lastpage", "numpages", "pagestotal", "maxpage", "nbpages"}
)
"""Fields that say how many pages there are."""


def fold(name: str) -> str:
    """Return a name without case and separators."""
    return "".join(letter for letter in name.lower() if letter.isalnum())

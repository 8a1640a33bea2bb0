"""Words of general English that the policy knows: function words, verb classes, cues, numerals.

Nothing here belongs to one service or API: it is what a small dictionary would hold.
"""

from __future__ import annotations

from toolhaft.models.heuristic.image_synonyms import IMAGE_SYNONYMS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP = _words(
    "a an the this that these those some any all each every both either neither of in on at to from "
    "by for with "
    "without into onto over under between among through during before after until till since about "
    "against as "
    "than then so and or but nor if whether while because i me my mine we us our ours you your "
    "yours he him his "
    "she her hers it its they them their theirs who whom whose which what when where why how is am "
    "are was were "
    "be been being do does did done doing have has had having will would shall should can could may "
    "might must "
    "need want wants wanted would'd like please kindly let lets let's there here not no yes just "
    "also too very "
    "much many more most less least few several such own same other another only again once up down out off "
    "i'm i'd i'll i've it's what's that's there's don't can't won't isn't aren't doesn't didn't tell know "
    "give given using use used via per its' e.g i.e etc one's my's get got getting help me. "
    "somewhere something anything everything nothing somebody someone anybody anyone everybody everyone "
    "behind beside beyond who's when's where's how's there's nobody whatever whichever whoever wherever "
    "whenever however else perhaps maybe otherwise ideally preferably"
)
"""Words that name nothing; ``get`` and its like are here because every interface has them."""

READ_VERBS = _words(
    "get find show list search look check tell fetch retrieve view see display read lookup query "
    "browse compute "
    "calculate determine identify locate estimate compare count know describe explain summarize "
    "summarise report "
    "what which who whom whose when where how is are does do did was were has have can whats"
)
CREATE_VERBS = _words(
    "create add book order buy purchase schedule send post reserve make place submit register open "
    "start write "
    "invite enroll enrol rent hire pay transfer subscribe upload publish reply put generate compose "
    "email text "
    "message notify issue borrow apply sign join record log save insert attach share request "
    "arrange plan log "
    "file launch deposit withdraw donate donate comment checkout"
)
UPDATE_VERBS = _words(
    "update change edit modify move reschedule rename set mark assign replace extend raise adjust increase "
    "decrease switch turn enable disable rate shift postpone renew complete confirm approve pause "
    "resume activate "
    "deactivate lower reduce restock convert translate reassign promote lock unlock archive patch "
    "correct upgrade"
)
DELETE_VERBS = _words(
    "delete remove cancel drop clear unsubscribe close dismiss revoke return refund void discard "
    "erase destroy "
    "unregister uninvite withdraw terminate stop purge"
)
VERB_CLASSES: dict[str, frozenset[str]] = {
    "read": READ_VERBS,
    "create": CREATE_VERBS,
    "update": UPDATE_VERBS,
    "delete": DELETE_VERBS,
}
LISTING_VERBS = _words("list search find browse query lookup all index filter look show fetch get retrieve")
QUESTION_WORDS = _words(
    "what which who whom whose when where how why is are does do did was were can could has"
)

SYNONYMS: tuple[tuple[str, ...], ...] = (
    *IMAGE_SYNONYMS,
    ("buy", "purchase", "order"),
    ("book", "reserve", "reservation", "booking"),
    ("delete", "remove", "cancel", "erase"),
    ("find", "search", "lookup", "locate", "browse"),
    ("list", "show", "display"),
    ("create", "add", "make", "new", "register", "put"),
    ("update", "change", "edit", "modify", "adjust", "set"),
    ("send", "message", "text", "notify", "mail"),
    ("schedule", "arrange", "plan"),
    ("reschedule", "postpone", "shift", "move"),
    ("cost", "price", "cheap", "expensive", "fee"),
    ("compute", "calculate", "calculation", "determine", "work"),
    ("convert", "conversion", "translate", "exchange"),
    ("compare", "comparison", "versus"),
    ("start", "begin", "launch"),
    ("end", "finish", "stop"),
    ("forecast", "prediction", "predict", "projection", "estimate"),
    ("location", "place", "where", "address"),
    ("rating", "rate", "review", "score"),
    ("amount", "quantity", "number", "count"),
    ("person", "user", "customer", "member"),
    ("pay", "payment"),
    ("meeting", "appointment", "event"),
    ("picture", "photo", "image"),
    ("movie", "film"),
    ("job", "position", "vacancy"),
    ("big", "large", "size"),
    ("alert", "warning"),
    ("temperature", "warm", "hot", "cold", "degree"),
    ("todo", "task"),
    ("imperial", "fahrenheit"),
    ("metric", "celsius"),
    ("ascending", "alphabetical"),
    ("parcel", "shipment", "package", "delivery", "deliver"),
    ("arrive", "arrival"),
    ("depart", "departure", "leave"),
    ("refund", "reimburse"),
    ("email", "mail"),
    ("phone", "telephone", "mobile"),
    ("voucher", "coupon"),
    ("company", "employer"),
    ("weight", "weigh"),
)
"""Groups of words that interfaces use for one another; the first stands for the group."""

CUES: dict[str, frozenset[str]] = {
    "from": _words(
        "from origin start source departure depart sender base begin initial lower min old current since"
    ),
    "to": _words(
        "to destination end target arrival arrive recipient receiver upper max new final until dest "
        "into emails"
    ),
    "into": _words("to target into destination output language"),
    "in": _words(
        "location city place country region state area venue town where year month currency language in"
    ),
    "at": _words("location place venue address time restaurant hotel store start rate at company"),
    "near": _words("location city place near nearby address area"),
    "around": _words("location city place near area"),
    "by": _words(
        "author artist by creator writer director brand maker end deadline due sort order composer painter"
    ),
    "for": _words("name person customer user patient duration days guests party term purpose title company"),
    "with": _words("with attendees participants ingredient name feature person contact guest"),
    "on": _words("date day platform topic on when subject"),
    "about": _words("topic subject query about keyword title text"),
    "of": _words("name title item of"),
    "since": _words("from start since begin after"),
    "after": _words("after from start since min"),
    "before": _words("before until end max deadline"),
    "until": _words("end until to till deadline due"),
    "till": _words("end until to till deadline due"),
    "under": _words("max maximum upper budget limit below"),
    "below": _words("max maximum upper budget limit below"),
    "over": _words("min minimum lower above over"),
    "above": _words("min minimum lower above over"),
    "named": _words("name title"),
    "called": _words("name title"),
    "titled": _words("title name"),
    "saying": _words("message body text content note comment"),
    "says": _words("message body text content note comment"),
    "reading": _words("message body text content note comment"),
    "as": _words("type role status format as category"),
    "than": _words("threshold limit"),
    "during": _words("event period when year time"),
    "through": _words("to end"),
    "via": _words("method via platform channel"),
    "using": _words("method using mode algorithm tool"),
}
"""Slot words that a preposition before a value speaks for."""

MIN_CUES = ("at least", "more than", "greater than", "over", "above", "minimum of", "no less than", "from")
MAX_CUES = (
    "at most",
    "less than",
    "under",
    "below",
    "up to",
    "maximum of",
    "no more than",
    "cheaper than",
    "within",
)

PLACE_WORDS = _words(
    "location city place country region state town destination origin address venue area where"
)
PERSON_WORDS = _words(
    "person name customer user patient guest passenger player author artist attendee recipient"
)
FREE_TEXT_WORDS = _words(
    "message body text content note comment description reason subject prompt review reply memo"
)
QUERY_WORDS = _words("query q search keyword term topic subject phrase text filter question")
QUANTITY_WORDS = _words(
    "quantity qty count number amount copies tickets guests pieces units seats rooms persons people"
)
MONEY_WORDS = _words(
    "price amount budget cost salary principal payment fee income investment value deposit balance"
)
RATE_WORDS = _words("rate percent percentage probability interest discount ratio chance growth tax yield tip")

NUMERALS: dict[str, int] = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS: dict[str, int] = {
    word: 10 * (number + 2)
    for number, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    )
}
SCALES: dict[str, int] = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
MULTIPLES: dict[str, float] = {"half": 0.5, "once": 1, "twice": 2, "dozen": 12, "couple": 2, "pair": 2}
ORDINALS: dict[str, int] = {
    word: number + 1
    for number, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
    )
}

UNITS: dict[str, str] = {
    "m": "meter",
    "km": "kilometer",
    "cm": "centimeter",
    "mm": "millimeter",
    "kg": "kilogram",
    "g": "gram",
    "mg": "milligram",
    "lb": "pound",
    "lbs": "pound",
    "s": "second",
    "sec": "second",
    "min": "minute",
    "mins": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "l": "liter",
    "ml": "milliliter",
    "c": "celsius",
    "f": "fahrenheit",
    "k": "kelvin",
    "v": "volt",
    "w": "watt",
    "kw": "kilowatt",
    "n": "newton",
    "j": "joule",
    "pa": "pascal",
    "hz": "hertz",
    "t": "tesla",
    "ft": "foot",
    "mph": "speed",
    "kmh": "speed",
    "metre": "meter",
    "litre": "liter",
    "kilometre": "kilometer",
    "gb": "gigabyte",
    "mb": "megabyte",
}
DIMENSIONS: dict[str, frozenset[str]] = {
    unit: _words(words)
    for units, words in (
        (
            "meter kilometer centimeter millimeter mile foot feet inch yard",
            "distance length height width radius diameter depth side altitude size",
        ),
        ("kilogram gram milligram pound ton ounce", "mass weight load"),
        (
            "second minute hour day week month year night decade",
            "time duration period length interval age term years days hours minutes nights months weeks",
        ),
        ("celsius fahrenheit kelvin degree", "temperature temp"),
        ("speed", "speed velocity"),
        ("joule kilojoule calorie", "energy work heat"),
        ("watt kilowatt", "power"),
        ("volt", "voltage potential"),
        ("newton", "force"),
        ("pascal atm bar", "pressure"),
        ("liter milliliter", "volume capacity amount"),
        ("hertz", "frequency"),
    )
    for unit in units.split()
}
"""What a unit measures."""
DAYS: dict[str, int] = {"day": 1, "week": 7, "month": 30, "year": 365}
VAGUE = _words(
    "last next past current latest recent following given based upcoming coming previous new old "
    "different various "
    "respectively possible available specific certain good nice nearby near me details information "
    "info list result "
    "results value values number data way thing things look looking going keeping opens open"
)
"""Words that begin or end a noun phrase and say nothing a tool could use."""

CURRENCIES: dict[str, str] = {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "dollar": "USD",
    "dollars": "USD",
    "euro": "EUR",
    "euros": "EUR",
    "pound": "GBP",
    "pounds": "GBP",
    "yen": "JPY",
    "rupee": "INR",
    "rupees": "INR",
    "franc": "CHF",
    "francs": "CHF",
    "yuan": "CNY",
    "peso": "MXN",
    "pesos": "MXN",
}

SUPERLATIVES: dict[str, tuple[int, frozenset[str]]] = {
    "cheapest": (-1, _words("price cost fare fee amount total rate")),
    "most expensive": (1, _words("price cost fare fee amount total rate")),
    "priciest": (1, _words("price cost fare fee amount total rate")),
    "dearest": (1, _words("price cost fare fee amount total rate")),
    "costliest": (1, _words("price cost fare fee amount total rate")),
    "earliest": (-1, _words("start date time depart departure at due when begin created")),
    "soonest": (-1, _words("start date time depart departure at due when begin")),
    "next": (-1, _words("start date time depart departure at due when begin")),
    "latest": (1, _words("start date time depart departure at due when created updated")),
    "last": (1, _words("start date time depart departure at due when created updated")),
    "most recent": (1, _words("date time at created updated start when")),
    "newest": (1, _words("date time at created updated year start")),
    "oldest": (-1, _words("date time at created updated year start birth")),
    "fastest": (-1, _words("duration time minutes hours seconds")),
    "quickest": (-1, _words("duration time minutes hours seconds")),
    "shortest": (-1, _words("duration length distance minutes hours time")),
    "longest": (1, _words("duration length distance minutes hours time")),
    "nearest": (-1, _words("distance km miles meters")),
    "closest": (-1, _words("distance km miles meters")),
    "farthest": (1, _words("distance km miles meters")),
    "best": (1, _words("rating score stars review rank")),
    "best-rated": (1, _words("rating score stars review")),
    "highest-rated": (1, _words("rating score stars review")),
    "top-rated": (1, _words("rating score stars review")),
    "best rated": (1, _words("rating score stars review")),
    "top rated": (1, _words("rating score stars review")),
    "worst": (-1, _words("rating score stars review rank")),
    "lowest-rated": (-1, _words("rating score stars review")),
    "largest": (1, _words("size area capacity population amount total quantity balance")),
    "biggest": (1, _words("size area capacity population amount total quantity balance")),
    "smallest": (-1, _words("size area capacity population amount total quantity balance")),
    "heaviest": (1, _words("weight mass kg")),
    "lightest": (-1, _words("weight mass kg")),
    "warmest": (1, _words("temperature temp high max")),
    "hottest": (1, _words("temperature temp high max")),
    "coldest": (-1, _words("temperature temp low min")),
    "coolest": (-1, _words("temperature temp low min")),
    "tallest": (1, _words("height elevation")),
    "youngest": (-1, _words("age")),
    "windiest": (1, _words("wind")),
    "wettest": (1, _words("rain precipitation")),
    "highest": (1, frozenset()),
    "lowest": (-1, frozenset()),
    "most": (1, frozenset()),
    "fewest": (-1, frozenset()),
    "least": (-1, frozenset()),
    "maximum": (1, frozenset()),
    "minimum": (-1, frozenset()),
}
"""Direction (1 is the maximum) and the field words that decide; empty: the words around say which."""

TRUE_WORDS = _words("yes true with include including enable enabled on allow want also")
FALSE_WORDS = _words(
    "no false without exclude excluding disable disabled off don't dont not skip never avoid"
)
CLOSED_STATES = _words("cancelled canceled deleted closed")

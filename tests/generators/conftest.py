"""A small environment: orders that can be looked at, changed and cancelled, each run from the beginning."""

import copy

import pytest

from toolhaft.errors import ToolError
from toolhaft.testing import tool_spec
from toolhaft.tools.base import Tool
from toolhaft.tools.catalog import Catalog

BEGINNING = {
    "shop": {
        "last_id": 3,
        "orders": {
            "ORD-1": {"order_id": "ORD-1", "title": "Blue lamp", "status": "open", "day": "2026-06-01"},
            "ORD-2": {"order_id": "ORD-2", "title": "Red chair", "status": "sent", "day": "2026-06-02"},
            "ORD-3": {"order_id": "ORD-3", "title": "Green desk", "status": "open", "day": "2026-06-03"},
        },
        "reviews": [],
    },
    "writes": [],
}
ORDER_ID = {"type": "string", "pattern": "^ORD-[0-9]+$", "description": "Identifier of the order."}
ORDER = {
    "type": "object",
    "properties": {
        "order_id": ORDER_ID,
        "title": {"type": "string"},
        "status": {"type": "string"},
        "day": {"type": "string", "format": "date"},
    },
}


def takes(**properties):
    required = [name for name, schema in properties.items() if not schema.pop("optional", False)]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


SPECS = {
    "listOrders": tool_spec(
        "listOrders",
        description="List the orders. Newest first.",
        parent="Shop",
        parameters=takes(status={"type": "string", "enum": ["open", "sent"], "optional": True}),
        returns={
            "type": "object",
            "properties": {"orders": {"type": "array", "items": ORDER}, "total": {"type": "integer"}},
        },
    ),
    "getOrder": tool_spec(
        "getOrder",
        description="Show an order.",
        parent="Shop",
        parameters=takes(order_id=dict(ORDER_ID)),
        returns=ORDER,
    ),
    "cancelOrder": tool_spec(
        "cancelOrder",
        description="Cancel an order (409 if it was sent).",
        parent="Shop",
        effect="write",
        parameters=takes(order_id=dict(ORDER_ID)),
        returns=ORDER,
    ),
    "createOrder": tool_spec(
        "createOrder",
        description="Place a new order.",
        parent="Shop",
        effect="write",
        parameters=takes(title={"type": "string", "minLength": 2, "maxLength": 60}),
        returns=ORDER,
    ),
    "purgeOrder": tool_spec(
        "purgeOrder",
        description="Delete an order for good.",
        parent="Shop",
        effect="irreversible",
        parameters=takes(order_id=dict(ORDER_ID)),
    ),
    "reviewOrder": tool_spec(
        "reviewOrder",
        description="Write a review of an order.",
        parent="Shop",
        effect="write",
        parameters=takes(
            order_id=dict(ORDER_ID),
            stars={"type": "integer", "minimum": 1, "maximum": 5},
            text={"type": "string", "optional": True},
        ),
    ),
}


class ShopTool(Tool):
    """One operation on the state of a run."""

    def __init__(self, spec, shop, run):
        self.spec = spec
        self._shop = shop
        self._run = run

    async def call(self, arguments, context):
        state = self._shop.runs.setdefault(self._run, copy.deepcopy(BEGINNING))
        self._shop.calls.append((self._run, self.spec.name))
        if self.spec.effect != "read":
            state["writes"].append({"operation": self.spec.name, "arguments": dict(arguments)})
        return getattr(self, f"_{self.spec.name}")(state["shop"], **arguments)

    def _find(self, shop, order_id):
        if order_id not in shop["orders"]:
            raise ToolError(f"there is no order {order_id}", effect="none")
        return shop["orders"][order_id]

    def _listOrders(self, shop, status=""):
        found = [order for order in shop["orders"].values() if status in ("", order["status"])]
        return {"orders": found, "total": len(found)}

    def _getOrder(self, shop, order_id):
        return self._find(shop, order_id)

    def _cancelOrder(self, shop, order_id):
        order = self._find(shop, order_id)
        if order["status"] == "sent":
            raise ToolError("it was sent", effect="none")
        order["status"] = "cancelled"
        return order

    def _createOrder(self, shop, title):
        shop["last_id"] += 1
        name = f"ORD-{shop['last_id']}"
        shop["orders"][name] = {"order_id": name, "title": title, "status": "open", "day": "2026-06-04"}
        return shop["orders"][name]

    def _purgeOrder(self, shop, order_id):
        self._find(shop, order_id)
        del shop["orders"][order_id]

    def _reviewOrder(self, shop, order_id, stars, text=""):
        self._find(shop, order_id)
        shop["reviews"].append({"order_id": order_id, "stars": stars, "text": text})
        return shop["reviews"][-1]


class Shop:
    """An environment in memory, in place of a world."""

    def __init__(self):
        self.runs = {}
        self.calls = []
        self.open = 0

    async def catalog(self, run):
        return Catalog([ShopTool(spec, self, run) for spec in SPECS.values()], name="shop")

    async def state(self, run):
        return copy.deepcopy(self.runs.get(run, BEGINNING))

    async def reset(self, run):
        self.runs.pop(run, None)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def make_tasks(shop):
    """Return what makes tasks in the shop."""

    async def make(generator, *, n=12, seed=0, environment=shop, drops=None, catalog=None):
        tools = await shop.catalog("catalog") if catalog is None else catalog
        stream = generator.generate(tools, n=n, seed=seed, environment=environment, drops=drops)
        return [task async for task in stream]

    return make

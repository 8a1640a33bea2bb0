"""A shop: products, one cart, orders, parcels and returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from toolhaft.world.problem import conflict, invalid, not_found
from toolhaft.world.service import Request, Service, Setting, State, next_id

_SHIPPING = {"standard": 4.9, "express": 12.9, "pickup": 0.0}


def begin(setting: Setting) -> State:
    """Return stock, cart, reviews and orders at the beginning."""
    products = {row["product_id"]: _product(setting, row) for row in setting.data["products"]}
    reviews = [
        {
            "review_id": f"RVW-{n}",
            "product_id": row["product_id"],
            "rating": row["rating"],
            "title": row["title"],
            "text": row["text"],
            "author": row["author"],
            "date": setting.day(-row["ago"]),
        }
        for n, row in enumerate(setting.data["reviews"], 1)
    ]
    orders = {}
    for row in setting.data["orders"]:
        lines = [_line(products[product_id], quantity) for product_id, quantity in row["lines"].items()]
        orders[row["order_id"]] = {
            "order_id": row["order_id"],
            "status": row["status"],
            "placed": setting.day(-row["ago"]),
            "items": lines,
            "total": _cents(_sum(lines) + _SHIPPING[row["shipping_method"]]),
            "shipping_method": row["shipping_method"],
            "shipping_address": dict(setting.data["address"]),
            "tracking_number": row["tracking_number"],
        }
    return {
        "last_id": 1100,
        "products": products,
        "reviews": reviews,
        "cart": {"lines": {}, "coupon": None},
        "orders": orders,
        "returns": {},
    }


def search_products(request: Request) -> Any:
    """Find products by words and limits."""
    words = request.get("query", "").casefold().split()
    found = [
        product
        for product in request.state["products"].values()
        if all(
            word in f"{product['name']} {product['description']} {product['category']}".casefold()
            for word in words
        )
        and request.get("category") in (None, product["category"])
        and product["price"] <= request.get("max_price", float("inf"))
        and product["rating"] >= request.get("min_rating", 0)
        and (product["stock"] > 0 or not request["in_stock"])
    ]
    orders: dict[str, Any] = {
        "name": lambda product: product["name"],
        "price": lambda product: product["price"],
        "price_descending": lambda product: -product["price"],
        "rating": lambda product: -product["rating"],
    }
    found.sort(key=orders[request["sort"]])
    return {"total": len(found), "page": request["page"], "products": _page(request, found)}


def compare_products(request: Request) -> Any:
    """Show products side by side."""
    products = [_find(request, product_id) for product_id in request["product_ids"]]
    return {
        "products": products,
        "cheapest": min(products, key=lambda product: product["price"])["product_id"],
        "lightest": min(products, key=lambda product: product["weight_g"])["product_id"],
        "best_rated": max(products, key=lambda product: product["rating"])["product_id"],
    }


def get_product(request: Request) -> Any:
    """Show one product."""
    return _find(request, request["product_id"])


def list_product_reviews(request: Request) -> Any:
    """Return reviews of a product, newest first."""
    product = _find(request, request["product_id"])
    found = [row for row in request.state["reviews"] if row["product_id"] == product["product_id"]]
    found.sort(key=lambda row: row["date"], reverse=True)
    return {"product_id": product["product_id"], "total": len(found), "reviews": found[: request["limit"]]}


def create_product_review(request: Request) -> Any:
    """Publish a review."""
    product = _find(request, request["product_id"])
    row = {
        "review_id": next_id(request.state, "RVW"),
        "product_id": product["product_id"],
        "rating": request["rating"],
        "title": request["title"],
        "text": request["text"],
        "author": request.setting.data["address"]["name"],
        "date": request.setting.today.isoformat(),
    }
    request.state["reviews"].append(row)
    return row


def list_product_categories(request: Request) -> Any:
    """Return the categories with the number of products in each."""
    counts: dict[str, int] = {}
    for product in request.state["products"].values():
        counts[product["category"]] = counts.get(product["category"], 0) + 1
    return {"categories": [{"category": name, "products": count} for name, count in counts.items()]}


def get_cart(request: Request) -> Any:
    """Show the cart."""
    return _cart(request)


def add_cart_item(request: Request) -> Any:
    """Put a product into the cart."""
    product = _find(request, request["product_id"])
    lines = request.state["cart"]["lines"]
    _set_quantity(lines, product, lines.get(product["product_id"], 0) + request["quantity"])
    return _cart(request)


def set_cart_item_quantity(request: Request) -> Any:
    """Change how many of a product are in the cart."""
    product = _in_cart(request)
    _set_quantity(request.state["cart"]["lines"], product, request["quantity"])
    return _cart(request)


def remove_cart_item(request: Request) -> None:
    """Take a product out of the cart."""
    product = _in_cart(request)
    del request.state["cart"]["lines"][product["product_id"]]


def apply_coupon(request: Request) -> Any:
    """Put a coupon on the cart."""
    coupon = _coupon(request.setting, request["code"])
    if coupon is None:
        raise not_found("coupon", request["code"])
    if coupon["days_left"] < 0:
        raise conflict(f"The coupon {coupon['code']} has run out")
    request.state["cart"]["coupon"] = coupon["code"]
    return _cart(request)


def list_orders(request: Request) -> Any:
    """Return orders, newest first."""
    since = request.get("since", "")
    found = [
        order
        for order in request.state["orders"].values()
        if request.get("status") in (None, order["status"]) and order["placed"] >= since
    ]
    found.sort(key=lambda order: (order["placed"], order["order_id"]), reverse=True)
    return {"total": len(found), "page": request["page"], "orders": _page(request, found)}


def place_order(request: Request) -> Any:
    """Order what is in the cart."""
    cart = _cart(request)
    if not cart["items"]:
        raise conflict("The cart is empty")
    order = {
        "order_id": next_id(request.state, "ORD"),
        "status": "processing",
        "placed": request.setting.today.isoformat(),
        "items": cart["items"],
        "total": _cents(cart["total"] + _SHIPPING[request["shipping_method"]]),
        "shipping_method": request["shipping_method"],
        "shipping_address": request["shipping_address"],
        "tracking_number": None,
    }
    if "gift_note" in request.arguments:
        order["gift_note"] = request["gift_note"]
    for line in cart["items"]:
        request.state["products"][line["product_id"]]["stock"] -= line["quantity"]
    request.state["orders"][order["order_id"]] = order
    request.state["cart"] = {"lines": {}, "coupon": None}
    return order


def get_order(request: Request) -> Any:
    """Show one order."""
    return _order(request)


def cancel_order(request: Request) -> Any:
    """Cancel an order that has not been sent."""
    order = _order(request)
    if order["status"] != "processing":
        raise conflict(f"{order['order_id']} is {order['status']} and cannot be cancelled")
    order["status"] = "cancelled"
    for line in order["items"]:
        request.state["products"][line["product_id"]]["stock"] += line["quantity"]
    return order


def request_return(request: Request) -> Any:
    """Announce that products of an order are sent back."""
    order = _order(request)
    if order["status"] != "delivered":
        raise conflict(f"{order['order_id']} is {order['status']}; only what was delivered can be sent back")
    lines = {line["product_id"]: line for line in order["items"]}
    items: list[dict[str, Any]] = []
    for position, item in enumerate(request["items"]):
        line = lines.get(item["product_id"])
        quantity = item.get("quantity", 1)
        taken = sum(other["quantity"] for other in items if other["product_id"] == item["product_id"])
        if (
            line is None
            or quantity + taken + _returned(request.state, order, item["product_id"]) > line["quantity"]
        ):
            raise invalid(
                f"{order['order_id']} does not hold {quantity} of {item['product_id']} to send back",
                pointer=f"#/items/{position}",
            )
        items.append({"product_id": item["product_id"], "quantity": quantity, "reason": item["reason"]})
    row = {
        "return_id": next_id(request.state, "RET"),
        "order_id": order["order_id"],
        "items": items,
        "refund": _cents(sum(lines[item["product_id"]]["unit_price"] * item["quantity"] for item in items)),
    }
    request.state["returns"][row["return_id"]] = row
    return row


def track_shipment(request: Request) -> Any:
    """Show where a parcel is."""
    for row in request.setting.data["shipments"]:
        if row["tracking_number"] == request["tracking_number"]:
            fields = {k: row[k] for k in ("tracking_number", "order_id", "carrier", "status", "location")}
            return {**fields, "expected_delivery": request.setting.day(row["arrives"])}
    raise not_found("parcel", request["tracking_number"])


SERVICE = Service(
    name="shop",
    begin=begin,
    operations={
        "searchProducts": search_products,
        "compareProducts": compare_products,
        "getProduct": get_product,
        "listProductReviews": list_product_reviews,
        "createProductReview": create_product_review,
        "listProductCategories": list_product_categories,
        "getCart": get_cart,
        "addCartItem": add_cart_item,
        "setCartItemQuantity": set_cart_item_quantity,
        "removeCartItem": remove_cart_item,
        "applyCoupon": apply_coupon,
        "listOrders": list_orders,
        "placeOrder": place_order,
        "getOrder": get_order,
        "cancelOrder": cancel_order,
        "requestReturn": request_return,
        "trackShipment": track_shipment,
    },
)


def _product(setting: Setting, row: dict[str, Any]) -> dict[str, Any]:
    draw = setting.draw("shop", row["product_id"])
    price = round(row["base"] * draw.uniform(0.9, 1.1)) - 0.1
    rating, stock = round(draw.uniform(3.1, 4.9), 1), draw.randrange(3, 40)
    return {
        **{k: row[k] for k in ("product_id", "name", "category", "description", "weight_g")},
        "price": _cents(price),
        "rating": rating,
        "stock": row.get("stock", stock),
    }


def _find(request: Request, product_id: str) -> dict[str, Any]:
    found: dict[str, Any] | None = request.state["products"].get(product_id)
    if found is None:
        raise not_found("product", product_id)
    return found


def _order(request: Request) -> dict[str, Any]:
    found: dict[str, Any] | None = request.state["orders"].get(request["order_id"])
    if found is None:
        raise not_found("order", request["order_id"])
    return found


def _in_cart(request: Request) -> dict[str, Any]:
    product = _find(request, request["product_id"])
    if product["product_id"] not in request.state["cart"]["lines"]:
        raise not_found("product in the cart", product["product_id"])
    return product


def _set_quantity(lines: dict[str, int], product: dict[str, Any], quantity: int) -> None:
    if quantity > product["stock"]:
        raise conflict(f"There are {product['stock']} of {product['product_id']} in stock, not {quantity}")
    lines[product["product_id"]] = quantity


def _cart(request: Request) -> dict[str, Any]:
    cart = request.state["cart"]
    lines = [_line(_find(request, product_id), quantity) for product_id, quantity in cart["lines"].items()]
    subtotal = _sum(lines)
    coupon = _coupon(request.setting, cart["coupon"])
    discount = _cents(subtotal * coupon["percent"] / 100) if coupon else 0.0
    return {
        "items": lines,
        "coupon": cart["coupon"],
        "subtotal": subtotal,
        "discount": discount,
        "total": _cents(subtotal - discount),
    }


def _coupon(setting: Setting, code: str | None) -> dict[str, Any] | None:
    return next((dict(row) for row in setting.data["coupons"] if row["code"] == code), None)


def _returned(state: State, order: dict[str, Any], product_id: str) -> int:
    return sum(
        item["quantity"]
        for row in state["returns"].values()
        if row["order_id"] == order["order_id"]
        for item in row["items"]
        if item["product_id"] == product_id
    )


def _line(product: dict[str, Any], quantity: int) -> dict[str, Any]:
    return {
        "product_id": product["product_id"],
        "name": product["name"],
        "quantity": quantity,
        "unit_price": product["price"],
    }


def _sum(lines: Iterable[dict[str, Any]]) -> float:
    return _cents(sum(line["unit_price"] * line["quantity"] for line in lines))


def _cents(amount: float) -> float:
    return round(amount, 2)


def _page(request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = (request["page"] - 1) * request["page_size"]
    return rows[first : first + request["page_size"]]

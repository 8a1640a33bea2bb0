"""Five small places that have nothing to do with the bundled world, and what people ask for there."""

import json
from dataclasses import dataclass, field

from toolhaft.errors import StatusError
from toolhaft.tools.base import Tool
from toolhaft.types import ToolSpec


def text(description="", **more):
    return {"type": "string", "description": description, **more}


def number(description="", **more):
    return {"type": "number", "description": description, **more}


def whole(description="", **more):
    return {"type": "integer", "description": description, **more}


def choice(*values, description=""):
    return {"type": "string", "enum": list(values), "description": description}


DAY = text("The day, YYYY-MM-DD.", format="date")


def refuse(status, detail):
    raise StatusError(
        f"the API answered {status}: {detail}", retryable=status in (429, 503), details={"status": status}
    )


@dataclass
class Place:
    """What is there, what was changed, and what still goes wrong."""

    data: dict = field(default_factory=lambda: json.loads(json.dumps(DATA)))
    writes: list = field(default_factory=list)
    faults: dict = field(default_factory=dict)


class ProbeTool(Tool):
    def __init__(self, place, service, name, effect, description, parameters, required, function):
        self.scene = place
        self.function = function
        self.spec = ToolSpec(
            name=name,
            description=description,
            effect=effect,
            parent=service,
            parameters={"type": "object", "properties": parameters, "required": list(required)},
        )

    async def call(self, arguments, context):
        left = self.scene.faults.get(self.spec.name, [])
        if left:
            refuse(left.pop(0), "Try again later")
        result = self.function(self.scene.data, **arguments)
        if self.spec.effect != "read":
            self.scene.writes.append((self.spec.name, dict(arguments)))
        return result


TOOLS = []


def tool(service, effect, description, required=(), /, **parameters):
    def keep(function):
        TOOLS.append((service, function.__name__, effect, description, parameters, required, function))
        return function

    return keep


def make(place):
    return [ProbeTool(place, *row) for row in TOOLS]


def one(rows, key, value, name):
    found = [row for row in rows if row[key] == value]
    return found[0] if found else refuse(404, f"There is no {name} {value}")


def matching(rows, query, *fields):
    words = (query or "").lower().split()
    return [
        row for row in rows if all(any(word in str(row[key]).lower() for key in fields) for word in words)
    ]


def where(rows, **given):
    return [row for row in rows if all(value is None or row[key] == value for key, value in given.items())]


def page(rows, name, cursor, size=4):
    start = int(cursor[1:]) if cursor else 0
    after = start + size
    return {
        name: rows[start:after],
        "total": len(rows),
        "next_cursor": f"c{after}" if after < len(rows) else None,
    }


DATA = {
    "fields": [
        {"field_id": "fld-1", "name": "North Acre", "crop": "barley", "hectares": 12.5},
        {"field_id": "fld-2", "name": "River Meadow", "crop": "clover", "hectares": 8.0},
        {"field_id": "fld-3", "name": "Old Orchard", "crop": "apples", "hectares": 3.2},
    ],
    "machines": [
        {"machine_id": "mch-11", "kind": "baler", "model": "Krone 150", "daily_rate": 140.0, "free": False},
        {"machine_id": "mch-12", "kind": "baler", "model": "Welger 235", "daily_rate": 165.0, "free": True},
        {"machine_id": "mch-13", "kind": "plough", "model": "Lemken 5", "daily_rate": 60.0, "free": True},
        {"machine_id": "mch-14", "kind": "baler", "model": "Claas 340", "daily_rate": 210.0, "free": True},
    ],
    "animals": [
        {"animal_id": f"ani-{n}", "name": name, "species": species, "weight_kg": weight}
        for n, (name, species, weight) in enumerate(
            [
                ("Berta", "cow", 610),
                ("Clara", "cow", 580),
                ("Dora", "cow", 655),
                ("Emil", "goat", 48),
                ("Frida", "goat", 52),
                ("Gus", "pig", 120),
                ("Hilda", "cow", 700),
                ("Ingrid", "sheep", 71),
                ("Juno", "sheep", 66),
                ("Kurt", "pig", 135),
                ("Lotte", "cow", 540),
            ],
            1,
        )
    ],
    "doctors": [
        {"doctor_id": "doc-5", "name": "Selma Ortiz", "specialty": "dermatology", "rating": 4.8},
        {"doctor_id": "doc-6", "name": "Hugo Brandt", "specialty": "dermatology", "rating": 4.4},
        {"doctor_id": "doc-7", "name": "Mira Kapoor", "specialty": "cardiology", "rating": 4.9},
    ],
    "openings": [
        {"opening_id": "opn-1", "doctor_id": "doc-5", "start": "2026-09-14T09:00", "taken": True},
        {"opening_id": "opn-2", "doctor_id": "doc-5", "start": "2026-09-14T11:30", "taken": False},
        {"opening_id": "opn-3", "doctor_id": "doc-7", "start": "2026-09-14T10:00", "taken": False},
        {"opening_id": "opn-4", "doctor_id": "doc-6", "start": "2026-09-15T08:15", "taken": False},
    ],
    "patients": [
        {"patient_id": "pat-301", "name": "Odile Fournier", "phone": "+33 6 1111 2222", "born": "1971-03-08"},
        {"patient_id": "pat-302", "name": "Ravi Menon", "phone": "+91 98 3333 4444", "born": "1988-11-30"},
        {"patient_id": "pat-303", "name": "Tove Dahl", "phone": "+47 400 55 666", "born": "2001-05-17"},
    ],
    "visits": [
        {"visit_id": "vis-71", "patient_id": "pat-301", "start": "2026-09-20T10:00", "status": "planned"},
        {"visit_id": "vis-72", "patient_id": "pat-302", "start": "2026-09-03T15:00", "status": "attended"},
        {"visit_id": "vis-73", "patient_id": "pat-302", "start": "2026-09-22T15:00", "status": "planned"},
    ],
    "dishes": [
        {"dish_id": "dsh-1", "name": "Beetroot risotto", "diet": "vegetarian", "price": 18.5, "minutes": 40},
        {"dish_id": "dsh-2", "name": "Smoked trout", "diet": "any", "price": 24.0, "minutes": 25},
        {"dish_id": "dsh-3", "name": "Chickpea stew", "diet": "vegan", "price": 15.0, "minutes": 55},
        {"dish_id": "dsh-4", "name": "Lentil soup", "diet": "vegan", "price": 9.5, "minutes": 35},
    ],
    "suppliers": [
        {
            "supplier_id": "sup-1",
            "name": "Green Barrow",
            "goods": ["leeks", "beetroot"],
            "kilo_price": 2.1,
            "stock_kg": 0,
        },
        {
            "supplier_id": "sup-2",
            "name": "Harbour Fish",
            "goods": ["trout"],
            "kilo_price": 14.0,
            "stock_kg": 90,
        },
        {
            "supplier_id": "sup-3",
            "name": "Valley Roots",
            "goods": ["beetroot", "carrots"],
            "kilo_price": 2.6,
            "stock_kg": 200,
        },
    ],
    "vehicles": [
        {"vehicle_id": f"veh-{n}", "plate": plate, "kind": kind, "status": status, "mileage_km": km}
        for n, (plate, kind, status, km) in enumerate(
            [
                ("KX-104", "van", "in use", 81200),
                ("KX-118", "van", "idle", 40350),
                ("KX-131", "truck", "idle", 120900),
                ("KX-140", "van", "in use", 23000),
                ("KX-152", "truck", "in repair", 198400),
                ("KX-167", "van", "idle", 61700),
                ("KX-173", "scooter", "idle", 5400),
                ("KX-188", "truck", "in use", 88000),
                ("KX-190", "van", "idle", 12800),
            ],
            21,
        )
    ],
    "drivers": [
        {"driver_id": "drv-1", "name": "Paula Stein", "licence": "C"},
        {"driver_id": "drv-2", "name": "Paul Steiner", "licence": "B"},
        {"driver_id": "drv-3", "name": "Amadou Ba", "licence": "C"},
    ],
    "workshops": [
        {"workshop_id": "wsh-1", "name": "Quick Lube", "city": "Graz", "rating": 4.7, "full": True},
        {"workshop_id": "wsh-2", "name": "Mur Motors", "city": "Graz", "rating": 4.5, "full": False},
        {"workshop_id": "wsh-3", "name": "Inn Garage", "city": "Innsbruck", "rating": 4.1, "full": False},
    ],
    "screenings": [
        {
            "screening_id": "scr-1",
            "film": "The Copper Tide",
            "day": "2026-09-18",
            "start": "17:00",
            "seats_left": 2,
        },
        {
            "screening_id": "scr-2",
            "film": "The Copper Tide",
            "day": "2026-09-18",
            "start": "20:15",
            "seats_left": 45,
        },
        {
            "screening_id": "scr-3",
            "film": "Paper Lanterns",
            "day": "2026-09-18",
            "start": "19:00",
            "seats_left": 0,
        },
        {
            "screening_id": "scr-4",
            "film": "Paper Lanterns",
            "day": "2026-09-19",
            "start": "19:00",
            "seats_left": 31,
        },
    ],
    "purchases": [
        {"purchase_id": "pur-801", "film": "Paper Lanterns", "seats": 2, "paid": 27.0},
        {"purchase_id": "pur-802", "film": "The Copper Tide", "seats": 1, "paid": 13.5},
    ],
}


@tool(
    "Farm",
    "read",
    "List the fields of the farm with crop and size.",
    crop=text("Only fields with this crop."),
)
def listFields(data, crop=None):
    return {"fields": where(data["fields"], crop=crop)}


@tool(
    "Farm",
    "read",
    "Show one field.",
    ["field_id"],
    field_id=text("Identifier of the field, for example fld-9."),
)
def getField(data, field_id):
    return one(data["fields"], "field_id", field_id, "field")


@tool(
    "Farm",
    "write",
    "Record a harvest that was brought in from a field.",
    ["field_id", "tonnes", "day"],
    field_id=text("Identifier of the field."),
    tonnes=number("Weight in tonnes.", minimum=0),
    day=DAY,
)
def recordHarvest(data, field_id, tonnes, day):
    one(data["fields"], "field_id", field_id, "field")
    return {"harvest_id": "hrv-1", "field_id": field_id, "tonnes": tonnes, "day": day}


@tool(
    "Farm",
    "read",
    "List machines that can be rented, with daily rates.",
    kind=choice("baler", "plough", "seeder", description="Only machines of this kind."),
)
def listMachines(data, kind=None):
    rows = where(data["machines"], kind=kind)
    return {"machines": [{key: row[key] for key in row if key != "free"} for row in rows]}


@tool(
    "Farm",
    "write",
    "Rent a machine for a day.",
    ["machine_id", "day"],
    machine_id=text("Identifier of the machine."),
    day=DAY,
)
def rentMachine(data, machine_id, day):
    machine = one(data["machines"], "machine_id", machine_id, "machine")
    return (
        {"rental_id": "rnt-4", **machine}
        if machine["free"]
        else refuse(409, "The machine is rented out on this day")
    )


@tool(
    "Farm",
    "read",
    "List the animals of the farm, one page at a time.",
    cursor=text("Where to go on: next_cursor of the page before."),
    species=text("Only animals of this species."),
)
def listAnimals(data, cursor=None, species=None):
    return page(where(data["animals"], species=species), "animals", cursor)


@tool(
    "Farm",
    "write",
    "Note a treatment that an animal was given.",
    ["animal_id", "medicine"],
    animal_id=text("Identifier of the animal."),
    medicine=text("Name of the medicine."),
)
def treatAnimal(data, animal_id, medicine):
    return {
        "treatment_id": "trt-1",
        **one(data["animals"], "animal_id", animal_id, "animal"),
        "medicine": medicine,
    }


@tool(
    "Clinic",
    "read",
    "Find doctors by name or specialty, best rated first.",
    query=text("Words of the name."),
    specialty=text("For example cardiology."),
)
def searchDoctors(data, query="", specialty=None):
    rows = matching(where(data["doctors"], specialty=specialty), query, "name", "specialty")
    return {"doctors": rows}


@tool(
    "Clinic",
    "read",
    "List a doctor's openings for visits.",
    ["doctor_id"],
    doctor_id=text("Identifier of the doctor."),
    day=text("Only openings of this day.", format="date"),
)
def listOpenings(data, doctor_id, day=None):
    rows = [
        row
        for row in data["openings"]
        if row["doctor_id"] == doctor_id and (day is None or row["start"].startswith(day))
    ]
    return {"openings": [{"opening_id": row["opening_id"], "start": row["start"]} for row in rows]}


@tool(
    "Clinic",
    "write",
    "Book a visit for a patient at one of a doctor's openings.",
    ["opening_id", "patient_id"],
    opening_id=text("Identifier of the opening."),
    patient_id=text("Identifier of the patient."),
    reason=text("Why the patient comes."),
)
def bookVisit(data, opening_id, patient_id, reason=None):
    opening = one(data["openings"], "opening_id", opening_id, "opening")
    one(data["patients"], "patient_id", patient_id, "patient")
    return (
        refuse(409, "Somebody else has taken this opening")
        if opening["taken"]
        else {"visit_id": "vis-90", **opening}
    )


@tool("Clinic", "read", "Find patients by name.", ["query"], query=text("Words of the name."))
def searchPatients(data, query):
    return {"patients": matching(data["patients"], query, "name")}


@tool(
    "Clinic",
    "read",
    "List visits.",
    patient_id=text("Only visits of this patient."),
    status=choice("planned", "attended", "cancelled"),
)
def listVisits(data, patient_id=None, status=None):
    return {"visits": where(data["visits"], patient_id=patient_id, status=status)}


@tool(
    "Clinic",
    "write",
    "Cancel a visit that is planned.",
    ["visit_id"],
    visit_id=text("Identifier of the visit, for example vis-10."),
)
def cancelVisit(data, visit_id):
    visit = one(data["visits"], "visit_id", visit_id, "visit")
    return (
        {**visit, "status": "cancelled"}
        if visit["status"] == "planned"
        else refuse(409, "The visit was attended")
    )


@tool(
    "Clinic",
    "irreversible",
    "Send a prescription to the pharmacy for a patient.",
    ["patient_id", "drug"],
    patient_id=text("Identifier of the patient."),
    drug=text("Name of the drug."),
)
def sendPrescription(data, patient_id, drug):
    return {"prescription_id": "prs-1", "patient_id": patient_id, "drug": drug}


@tool(
    "Kitchen",
    "read",
    "Search the dishes on the menu.",
    query=text("Words of the dish's name."),
    diet=choice("any", "vegetarian", "vegan"),
)
def searchDishes(data, query="", diet=None):
    return {"dishes": matching(where(data["dishes"], diet=diet), query, "name")}


@tool("Kitchen", "read", "Show the recipe of a dish.", ["dish_id"], dish_id=text("Identifier of the dish."))
def getRecipe(data, dish_id):
    dish = one(data["dishes"], "dish_id", dish_id, "dish")
    return {"dish_id": dish_id, "servings": 4, "oven_temperature": 180, "minutes": dish["minutes"]}


@tool(
    "Kitchen",
    "write",
    "Change the price of a dish.",
    ["dish_id", "price"],
    dish_id=text("Identifier of the dish."),
    price=number("New price.", minimum=0),
)
def setDishPrice(data, dish_id, price):
    return {**one(data["dishes"], "dish_id", dish_id, "dish"), "price": price}


@tool("Kitchen", "write", "Take a dish off the menu.", ["dish_id"], dish_id=text("Identifier of the dish."))
def removeDish(data, dish_id):
    return one(data["dishes"], "dish_id", dish_id, "dish")


@tool(
    "Kitchen",
    "read",
    "List suppliers of the kitchen with their prices per kilo.",
    ingredient=text("Only suppliers that have this ingredient."),
)
def listSuppliers(data, ingredient=None):
    rows = [row for row in data["suppliers"] if ingredient is None or ingredient.lower() in row["goods"]]
    return {"suppliers": [{key: row[key] for key in row if key != "stock_kg"} for row in rows]}


@tool(
    "Kitchen",
    "write",
    "Order an ingredient from a supplier.",
    ["supplier_id", "ingredient", "kilos"],
    supplier_id=text("Identifier of the supplier."),
    ingredient=text("What to order."),
    kilos=number("Weight in kilos.", exclusiveMinimum=0),
)
def orderIngredient(data, supplier_id, ingredient, kilos):
    supplier = one(data["suppliers"], "supplier_id", supplier_id, "supplier")
    return (
        {"delivery_id": "dlv-3", "supplier": supplier["name"]}
        if supplier["stock_kg"] >= kilos
        else refuse(409, "Not enough in stock")
    )


@tool(
    "Fleet",
    "read",
    "List the vehicles of the fleet, one page at a time.",
    kind=choice("van", "truck", "scooter"),
    status=choice("idle", "in use", "in repair"),
    page_token=text("Token of the page."),
)
def listVehicles(data, kind=None, status=None, page_token=None):
    rows = page(where(data["vehicles"], kind=kind, status=status), "vehicles", page_token, 3)
    return {"vehicles": rows["vehicles"], "next_page_token": rows["next_cursor"]}


@tool("Fleet", "read", "Find drivers by name.", ["name"], name=text("Name of the driver."))
def findDrivers(data, name):
    return {"drivers": matching(data["drivers"], name, "name")}


@tool(
    "Fleet",
    "write",
    "Assign a driver to a vehicle.",
    ["vehicle_id", "driver_id"],
    vehicle_id=text("Identifier of the vehicle."),
    driver_id=text("Identifier of the driver."),
)
def assignDriver(data, vehicle_id, driver_id):
    vehicle = one(data["vehicles"], "vehicle_id", vehicle_id, "vehicle")
    return vehicle if vehicle["status"] == "idle" else refuse(409, f"The vehicle is {vehicle['status']}")


@tool(
    "Fleet",
    "write",
    "Report a fault of a vehicle.",
    ["vehicle_id", "description"],
    vehicle_id=text("Identifier of the vehicle."),
    description=text("What is wrong."),
)
def reportFault(data, vehicle_id, description):
    return {
        "fault_id": "flt-1",
        **one(data["vehicles"], "vehicle_id", vehicle_id, "vehicle"),
        "description": description,
    }


@tool("Fleet", "read", "List workshops, best rated first.", city=text("Only workshops in this city."))
def listWorkshops(data, city=None):
    rows = where(data["workshops"], city=city)
    return {"workshops": [{key: row[key] for key in row if key != "full"} for row in rows]}


@tool(
    "Fleet",
    "write",
    "Schedule the service of a vehicle at a workshop.",
    ["workshop_id", "vehicle_id", "day"],
    workshop_id=text("Identifier of the workshop."),
    vehicle_id=text("Identifier of the vehicle."),
    day=DAY,
)
def scheduleService(data, workshop_id, vehicle_id, day):
    workshop = one(data["workshops"], "workshop_id", workshop_id, "workshop")
    return (
        refuse(409, "The workshop is full on this day")
        if workshop["full"]
        else {"service_id": "srv-2", "workshop": workshop["name"]}
    )


@tool(
    "Cinema",
    "read",
    "List screenings of films.",
    film=text("Only screenings of this film."),
    day=text("Only screenings of this day.", format="date"),
)
def listScreenings(data, film=None, day=None):
    rows = [
        row
        for row in where(data["screenings"], day=day)
        if film is None or film.lower() in row["film"].lower()
    ]
    return {"screenings": [{key: row[key] for key in row if key != "seats_left"} for row in rows]}


@tool(
    "Cinema",
    "write",
    "Buy seats for a screening.",
    ["screening_id", "seats"],
    screening_id=text("Identifier of the screening."),
    seats=whole("How many.", minimum=1, maximum=10),
)
def buySeats(data, screening_id, seats):
    screening = one(data["screenings"], "screening_id", screening_id, "screening")
    if screening["seats_left"] < seats:
        refuse(
            409, f"Only {screening['seats_left']} seats are left" if screening["seats_left"] else "Sold out"
        )
    return {"purchase_id": "pur-900", "screening_id": screening_id, "seats": seats, "paid": 13.5 * seats}


@tool("Cinema", "read", "List the purchases of seats.")
def listPurchases(data):
    return {"purchases": data["purchases"]}


@tool(
    "Cinema",
    "irreversible",
    "Refund a purchase of seats.",
    ["purchase_id"],
    purchase_id=text("Identifier of the purchase."),
)
def refundPurchase(data, purchase_id):
    return {**one(data["purchases"], "purchase_id", purchase_id, "purchase"), "refunded": True}


@dataclass(frozen=True)
class Probe:
    kind: str
    instruction: str
    writes: tuple = ()
    says: tuple = ()
    faults: tuple = ()
    approve: tuple = ()


def done(kind, instruction, name, says=(), /, faults=(), approve=(), **arguments):
    return Probe(kind, instruction, ((name, arguments),), says, faults, approve)


def told(kind, instruction, *says, faults=()):
    return Probe(kind, instruction, (), says, faults)


PROBES = (
    told("one_call", "How many fields does the farm have?", "3"),
    told("one_call", "Which field of the farm grows clover?", "River Meadow"),
    told("one_call", "How big is field fld-3, in hectares?", "3.2"),
    told("one_call", "What is the daily rate of the cheapest baler?", "140"),
    told("one_call", "Which cardiology doctors does the clinic have?", "Mira Kapoor"),
    told("one_call", "What is the phone number of the patient Tove Dahl?", "+47 400 55 666"),
    told("one_call", "Which visits at the clinic are planned?", "vis-71", "vis-73"),
    told("one_call", "Which vegan dishes are on the menu?", "Chickpea stew", "Lentil soup"),
    told("one_call", "What does the smoked trout cost?", "24"),
    told("one_call", "Who supplies trout to the kitchen?", "Harbour Fish"),
    told("one_call", "Which workshop is there in Innsbruck?", "Inn Garage"),
    told("one_call", "When is Paper Lanterns shown on 2026-09-19?", "19:00"),
    told("one_call", "Which licence does the driver Amadou Ba have?", "C"),
    done("one_call", "Cancel the visit vis-73.", "cancelVisit", visit_id="vis-73"),
    done("one_call", "Change the price of dish dsh-4 to 10.50.", "setDishPrice", dish_id="dsh-4", price=10.5),
    done("one_call", "Buy 3 seats for the screening scr-2.", "buySeats", screening_id="scr-2", seats=3),
    done(
        "multi_call",
        "Record a harvest of 14.5 tonnes from North Acre on 2026-08-21.",
        "recordHarvest",
        field_id="fld-1",
        tonnes=14.5,
        day="2026-08-21",
    ),
    done("multi_call", "Rent a plough for 2026-10-02.", "rentMachine", machine_id="mch-13", day="2026-10-02"),
    done(
        "multi_call",
        "Note that the animal Clara was given the medicine ivermectin.",
        "treatAnimal",
        animal_id="ani-2",
        medicine="ivermectin",
    ),
    told("multi_call", "Which openings does Doctor Kapoor have on 2026-09-14?", "10:00"),
    done(
        "multi_call",
        "Book a visit for Ravi Menon at the opening opn-4.",
        "bookVisit",
        opening_id="opn-4",
        patient_id="pat-302",
    ),
    done(
        "multi_call",
        "Book a visit with the doctor Mira Kapoor on 2026-09-14 for the patient Tove Dahl.",
        "bookVisit",
        opening_id="opn-3",
        patient_id="pat-303",
    ),
    done("multi_call", "Cancel the planned visit of Odile Fournier.", "cancelVisit", visit_id="vis-71"),
    told("multi_call", "At what oven temperature is the beetroot risotto made?", "180"),
    done(
        "multi_call", "Raise the price of the lentil soup to 11.", "setDishPrice", dish_id="dsh-4", price=11
    ),
    done("multi_call", "Take the chickpea stew off the menu.", "removeDish", dish_id="dsh-3"),
    done(
        "multi_call",
        "Order 20 kilos of carrots for the kitchen.",
        "orderIngredient",
        supplier_id="sup-3",
        ingredient="carrots",
        kilos=20,
    ),
    done(
        "multi_call",
        "Order 5 kilos of trout from Harbour Fish.",
        "orderIngredient",
        supplier_id="sup-2",
        ingredient="trout",
        kilos=5,
    ),
    done(
        "multi_call",
        "Assign the driver Amadou Ba to the vehicle veh-23.",
        "assignDriver",
        vehicle_id="veh-23",
        driver_id="drv-3",
    ),
    done(
        "multi_call",
        'Report a fault of the vehicle with the plate KX-118: "The left mirror is broken".',
        "reportFault",
        vehicle_id="veh-22",
        description="The left mirror is broken",
    ),
    done(
        "multi_call",
        "Schedule the service of vehicle veh-26 at Inn Garage on 2026-10-12.",
        "scheduleService",
        workshop_id="wsh-3",
        vehicle_id="veh-26",
        day="2026-10-12",
    ),
    done(
        "multi_call",
        "Buy 4 seats for Paper Lanterns on 2026-09-19.",
        "buySeats",
        screening_id="scr-4",
        seats=4,
    ),
    done(
        "multi_call",
        "Find the most expensive dish on the menu and lower its price to 22.",
        "setDishPrice",
        dish_id="dsh-2",
        price=22,
    ),
    done(
        "dead_end",
        "Rent the cheapest baler for 2026-09-30.",
        "rentMachine",
        machine_id="mch-12",
        day="2026-09-30",
    ),
    done("dead_end", "Rent a baler for 2026-10-01.", "rentMachine", machine_id="mch-12", day="2026-10-01"),
    done(
        "dead_end",
        "Book a visit for Odile Fournier with the doctor Selma Ortiz on 2026-09-14.",
        "bookVisit",
        opening_id="opn-2",
        patient_id="pat-301",
    ),
    done(
        "dead_end",
        "Book the earliest opening of Selma Ortiz for the patient Tove Dahl.",
        "bookVisit",
        opening_id="opn-2",
        patient_id="pat-303",
    ),
    done(
        "dead_end",
        "Order 30 kilos of beetroot from the cheapest supplier.",
        "orderIngredient",
        supplier_id="sup-3",
        ingredient="beetroot",
        kilos=30,
    ),
    done(
        "dead_end",
        "Order 12 kilos of beetroot for the kitchen.",
        "orderIngredient",
        supplier_id="sup-3",
        ingredient="beetroot",
        kilos=12,
    ),
    done(
        "dead_end",
        "Schedule the service of vehicle veh-23 at a workshop in Graz on 2026-10-05.",
        "scheduleService",
        workshop_id="wsh-2",
        vehicle_id="veh-23",
        day="2026-10-05",
    ),
    done(
        "dead_end",
        "Schedule the service of veh-27 at the best rated workshop in Graz on 2026-10-06.",
        "scheduleService",
        workshop_id="wsh-2",
        vehicle_id="veh-27",
        day="2026-10-06",
    ),
    done(
        "dead_end",
        "Buy 4 seats for a screening of The Copper Tide on 2026-09-18.",
        "buySeats",
        screening_id="scr-2",
        seats=4,
    ),
    done(
        "dead_end",
        "Buy 3 seats for the earliest screening of The Copper Tide.",
        "buySeats",
        screening_id="scr-2",
        seats=3,
    ),
    done(
        "dead_end",
        "Buy two seats for any screening of Paper Lanterns.",
        "buySeats",
        screening_id="scr-4",
        seats=2,
    ),
    done("dead_end", "Assign Amadou Ba to a van.", "assignDriver", vehicle_id="veh-22", driver_id="drv-3"),
    told("ask", "Book a visit for the patient Ravi Menon.", "doctor|opening|when"),
    told("ask", "Buy seats for the screening scr-4.", "how many|seats"),
    told("ask", "Rent the machine mch-14.", "day|date|when"),
    told("ask", "Change the price of the smoked trout.", "price"),
    told("ask", "Record a harvest from River Meadow on 2026-07-03.", "tonnes|weight|how much"),
    told("ask", "Report a fault of the vehicle veh-21.", "what|description|wrong"),
    told("ask", "Order leeks from Green Barrow.", "kilos|how much|how many"),
    told("decline", "Translate the menu into Japanese."),
    told("decline", "Paint the barn red next week."),
    told("decline", "Cancel the visit vis-72."),
    told("decline", "Sell the truck with the plate KX-131."),
    told("decline", "Transfer 500 dollars to my sister."),
    told("decline", "Show the field fld-77."),
    told("pagination", "How heavy is the animal Juno?", "66"),
    told("pagination", "How many animals are on the farm?", "11"),
    told("pagination", "Which is the heaviest animal on the farm?", "Hilda"),
    done(
        "pagination",
        "Note that the pig Kurt was given the medicine tylosin.",
        "treatAnimal",
        animal_id="ani-10",
        medicine="tylosin",
    ),
    told("pagination", "Which vehicle of the fleet has the lowest mileage?", "KX-173"),
    done(
        "pagination",
        "Assign Paula Stein to the vehicle with the plate KX-190.",
        "assignDriver",
        vehicle_id="veh-29",
        driver_id="drv-1",
    ),
    told(
        "fault",
        "What is the mileage of the vehicle with the plate KX-104?",
        "81200",
        faults=(("listVehicles", 503),),
    ),
    done(
        "fault",
        "Take the smoked trout off the menu.",
        "removeDish",
        faults=(("removeDish", 429),),
        dish_id="dsh-2",
    ),
    done(
        "approval",
        "Send a prescription of cetirizine for the patient Tove Dahl.",
        "sendPrescription",
        approve=("sendPrescription",),
        patient_id="pat-303",
        drug="cetirizine",
    ),
    told("refused", "Refund the purchase pur-801."),
    told("refused", "Send a prescription of codeine for the patient Ravi Menon."),
)


def passed(probe, trajectory, place):
    """Return whether a rollout did what was asked, and nothing else."""
    answer = (trajectory.answer or "").lower()
    if [[name, arguments] for name, arguments in place.writes] != [list(row) for row in probe.writes]:
        return False
    if probe.kind in ("decline", "refused"):
        return trajectory.status == "gave_up" and not answer.rstrip().endswith("?")
    if (probe.kind == "ask") != (trajectory.status == "asked"):
        return False
    return all(any(one.lower() in answer for one in said.split("|")) for said in probe.says)


async def attempt(probe, planner, k=12, budget=40):
    """Carry out a probe; return whether it passed, and its trajectory."""
    from toolhaft import Agent

    place = Place()
    for name, status in probe.faults:
        place.faults.setdefault(name, []).append(status)
    agent = Agent(
        make(place),
        model="heuristic",
        planner=planner,
        k=k,
        allow=("write", *probe.approve),
        budget={"model_calls": budget},
        warn=lambda line: None,
    )
    trajectory = (await agent.run(probe.instruction)).trajectory
    return passed(probe, trajectory, place), trajectory

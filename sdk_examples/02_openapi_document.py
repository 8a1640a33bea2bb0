"""An OpenAPI document as tools: what was imported, what a model is shown, and what a call sends."""

from toolhaft import open_catalog

document = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://pets.example.com/v1"}],
    "paths": {
        "/pets/{petId}": {
            "get": {
                "operationId": "getPet",
                "summary": "Find a pet by its id",
                "parameters": [
                    {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {
                        "name": "fields",
                        "in": "query",
                        "schema": {"type": "array", "items": {"type": "string"}},
                    },
                ],
                "responses": {"200": {"description": "The pet"}},
            }
        }
    },
}

pets = open_catalog(document)
print(pets.report)
spec = pets.spec("getPet")
print(spec.effect, sorted(spec.properties))
request = pets["getPet"].request({"petId": 7, "fields": ["name", "age"]})
print(request.method, request.url)

# prints: 1 imported, 0 degraded, 0 skipped
# prints: read ['fields', 'petId']
# prints: GET https://pets.example.com/v1/pets/7?fields=name&fields=age

"""An independent reading of requests: bytes back to arguments, by the OpenAPI specification alone.

Nothing here imports the importer's own readers and writers: documents, references, styles and bodies are read
a second time, so that a mistake has to be made twice to go unnoticed.
"""

"""RapidAPI and ToolBench tool files as tools, a live client, and a virtual API server."""

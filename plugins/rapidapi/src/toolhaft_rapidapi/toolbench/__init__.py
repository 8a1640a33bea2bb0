"""ToolBench's queries, answers and training conversations, read and written."""

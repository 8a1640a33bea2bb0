"""Finding the tools that an instruction needs: one file per retriever."""

"""What a run looks like to a person: one static HTML file, a live tree in the terminal, stored records."""

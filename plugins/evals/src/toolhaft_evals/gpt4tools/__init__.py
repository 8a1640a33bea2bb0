"""Instructions about images: was a tool used where one is needed, the right one, on the right file?"""

"""APIBench: which API of a hub does an answer call, and is it the right one?"""

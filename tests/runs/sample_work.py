"""A job for tests of executors."""

import asyncio
import os

from toolhaft.runs.executor import Work


class Sample(Work):
    def __init__(self, factor):
        self.factor = factor
        self.at_once = 0
        self.stopping = asyncio.Event()

    async def run(self, item, home):
        if item == "die":
            os._exit(7)
        if item == "print":
            print("hello", {"result": 0})
            return {"printed": True}
        if item == "pid":
            home.tell({"pid": os.getpid()})
            await asyncio.sleep(60)
        if item == "wait":
            await self.stopping.wait()
            return {"stopped": True}
        self.at_once += 1
        home.tell({"item": item})
        answer = await home.ask({"value": item})
        await asyncio.sleep(0.005)
        at_once, self.at_once = self.at_once, self.at_once - 1
        return {"times": item * self.factor, "double": answer["double"], "at_once": at_once}

    def stop(self):
        self.stopping.set()


async def open_sample(factor):
    return Sample(factor)


def no_work():
    return "no_work"

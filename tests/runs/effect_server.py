"""A server on loopback that counts what reaches it, by kind and key; for tests that kill its clients."""

import asyncio
import threading
from collections import Counter


class EffectServer:
    """Answers ``KIND KEY`` with the number of times that it arrived, after a moment.

    Runs in a thread of its own, so that a blocking test can use it; use it with ``with``.
    """

    def __init__(self, delay=0.003):
        self.delay = delay
        self.arrived = Counter()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._reached = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def total(self):
        return sum(self.arrived.values())

    def wait_for(self, total, timeout=30.0, process=None):
        """Wait until so many have arrived in all; false if the process ends or time is over before."""
        for _ in range(int(timeout / 0.02)):
            with self._reached:
                if self.total >= total or self._reached.wait_for(lambda: self.total >= total, 0.02):
                    return True
            if process is not None and process.poll() is not None:
                return False
        return False

    def __enter__(self):
        started = threading.Event()
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._serve(started)))
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))

    async def _serve(self, started):
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        started.set()

    async def _answer(self, reader, writer):
        try:
            kind, key = (await reader.readline()).decode().split()
            with self._reached:
                self.arrived[kind, key] += 1
                self._reached.notify_all()
            await asyncio.sleep(self.delay)
            writer.write(f"{self.arrived[kind, key]}\n".encode())
            await writer.drain()
        except (ValueError, OSError):
            pass
        finally:
            writer.close()

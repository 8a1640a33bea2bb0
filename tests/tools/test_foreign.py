"""Calls into libraries that must not run side by side, and raise anything."""

import threading
import time

from toolhaft.tools.foreign import call_alone


def test_calls_come_one_after_the_other_and_hand_over_what_they_return():
    inside, most = 0, 0

    def work(number):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.01)
        inside -= 1
        return number

    found = {}
    threads = [
        threading.Thread(target=lambda n=n: found.setdefault(n, call_alone(work, n).value)) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == {n: n for n in range(6)}
    assert most == 1


def test_whatever_is_raised_comes_back_and_the_next_call_goes_through():
    class Odd(BaseException):
        pass

    for kind in (Exception, ValueError, Odd, SystemExit):

        def fail(kind=kind):
            raise kind("bare")

        assert type(call_alone(fail).error) is kind
    assert call_alone(len, "four").value == 4

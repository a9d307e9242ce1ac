"""A property that is computed once, and that no thread waits for."""

from __future__ import annotations

import threading

from hubspot_batch._cached_property import cached_property


class Slow:
    """Computes while somebody lets it."""

    def __init__(self) -> None:
        self.computed = 0
        self.begun = threading.Event()
        self.go = threading.Event()

    @cached_property
    def value(self) -> list[int]:
        """Return a new list."""
        self.computed += 1
        self.begun.set()
        self.go.wait(5)
        return []


def test_it_is_computed_once() -> None:
    """Then it is an attribute of the instance."""
    slow = Slow()
    slow.go.set()
    assert slow.value is slow.value is vars(slow)["value"]
    assert slow.computed == 1
    assert Slow.value.__doc__ == "Return a new list."


def test_no_thread_waits_for_another_instance() -> None:
    """In Python 3.11, `functools.cached_property` has one lock for all instances."""
    slow, other = Slow(), Slow()
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    slow.begun.wait(5)
    other.go.set()
    assert other.value == []
    assert not slow.go.is_set()
    slow.go.set()
    thread.join()

"""Leave loops in every way that there is, and print what was told of each; see test_loops.py.

It runs in interpreters that have nothing but the standard library, Python 3.9 among them.
"""

# zip() has no strict= in Python 3.9, and each form of a loop is meant as it is.
# ruff: noqa: B905, C416, SIM105

import asyncio
import contextlib
import gc
import itertools
import json
import sys
import threading
import types

from jupyter_notify.loop_outcome import LoopFrame
from jupyter_notify.progress import track

TOLD = {}


class Queue:
    """A queue that collects the final messages."""

    def watch(self, live):
        """Nothing is looked at."""

    def forget(self, key):
        """Nothing is looked at."""

    def submit(self, message, picture=None):
        title, _, text = message["message"].partition(": ")
        TOLD.setdefault(title, []).append([message["type"], text.split(" in ")[0]])

    leave = submit


def tracked(title, iterable=range(10)):
    return track(Queue(), iterable, title, None)


def fail(n, at=2):
    if n == at:
        raise ValueError("bad")


def plainly():
    for _ in tracked("whole"):
        pass
    for n in tracked("break"):
        if n == 2:
            break

    def returns():
        for n in tracked("return"):
            if n == 2:
                return n

    returns()
    with contextlib.suppress(ValueError):
        for n in tracked("suppressed"):
            fail(n)
    try:
        for n in tracked("caught"):
            fail(n)
    except ValueError:
        pass

    def inner():
        for n in tracked("in a function"):
            fail(n)

    with contextlib.suppress(ValueError):
        inner()
    try:
        raise TypeError("old")
    except TypeError:
        for n in tracked("break while handling"):
            if n == 2:
                break
    with contextlib.suppress(KeyError):
        try:
            for n in tracked("finally"):
                if n == 2:
                    raise KeyError("k")
        finally:
            sum(range(3))
    while True:
        for n in tracked("nested break"):
            if n == 2:
                break
        break


def again():
    """Leave a loop as it, or another one, was left before."""
    for n in range(2):
        with contextlib.suppress(ValueError):
            for k in tracked(f"suppressed again {n}"):
                fail(k)
    for n in range(2):
        try:
            for k in tracked(f"caught again {n}"):
                fail(k)
        except ValueError:
            pass


def while_handling():
    """Leave loops while exceptions are handled, one of them in a caller."""

    def returns():
        try:
            raise TypeError("inner")
        except TypeError:
            for n in tracked("return while handling"):
                if n == 2:
                    return n

    try:
        raise KeyError("outer")
    except KeyError:
        assert returns() == 2
    with contextlib.suppress(ValueError):
        try:
            fail(2)
        except ValueError:
            for n in tracked("raised again"):
                if n == 2:
                    raise
    try:
        try:
            fail(2)
        except ValueError as error:
            for n in tracked("raised again by name"):
                if n == 2:
                    raise error
    except ValueError:
        pass


def in_one_line():
    """Fail after a loop was left, in the line that has called its function."""

    def returns(title):
        for n in tracked(title):
            if n == 2:
                return n

    with contextlib.suppress(ZeroDivisionError):
        print(1 / (returns("return, then a failure") - 2))
    with contextlib.suppress(TypeError):
        len(returns("return to a call that fails"))


def nested():
    with contextlib.suppress(ValueError):
        for _ in tracked("outer of a failure"):
            for _ in tracked("middle of a failure"):
                for n in tracked("inner failure"):
                    fail(n)

    def returns():
        for _ in tracked("outer of a return"):
            for n in tracked("inner return"):
                if n == 2:
                    return n

    returns()
    for _ in tracked("outer of a break", range(2)):
        for n in tracked("inner break"):
            if n == 2:
                break

    def failing_loop():
        for n in tracked("in a function of a loop"):
            fail(n)

    with contextlib.suppress(ValueError):
        for _ in tracked("loop of a function"):
            failing_loop()


def driven_by_others():
    xs, three = range(10), range(3)
    for _ in zip(three, tracked("zip shorter")):
        pass
    for _ in zip(tracked("zip first"), three):
        pass
    for _ in zip(range(10), tracked("zip all")):
        pass
    for _ in itertools.islice(tracked("islice"), 3):
        pass
    list(itertools.islice(tracked("islice in a list"), 3))
    dict(zip("abc", tracked("dict")))
    [x for x in itertools.islice(tracked("comprehension"), 3)]
    for _, n in zip(xs, tracked("zip break")):
        if n == 2:
            break
    with contextlib.suppress(ValueError):
        for _, n in zip(xs, tracked("zip fails")):
            fail(n)
    with contextlib.suppress(ValueError):
        list(map(fail, tracked("map fails")))
    for _, n in enumerate(tracked("enumerate")):
        if n == 2:
            break


def failing(n):
    fail(n)
    return n


def comprehensions():
    """Fail in comprehensions, some of which have a frame of their own and some do not."""

    def function():
        return [failing(n) for n in tracked("list in a function")]

    def caught():
        n = 5
        try:
            made = {failing(n) for n in tracked("set that is caught")}
        except ValueError:
            made = None
        return n, made

    for make in (
        function,
        lambda: [[failing(n) for n in tracked("list in a list")] for _ in "a"],
        lambda: [failing(n) for _ in "a" for n in tracked("second of two")],
        lambda: {n: failing(n) for n in tracked("dict comprehension")},
        lambda: sum(failing(n) for n in tracked("generator expression")),
        lambda: print(*[failing(n) for n in tracked("in a call")]),
    ):
        with contextlib.suppress(ValueError):
            make()
    assert caught() == (5, None)

    async def waiting():
        return [await asyncio.sleep(0, failing(n)) for n in tracked("list that awaits")]

    with contextlib.suppress(ValueError):
        asyncio.run(waiting())


with contextlib.suppress(ValueError):
    [failing(n) for n in tracked("list in a module")]


def generators_that_return():
    """Leave loops within generators, whose end their caller sees as a StopIteration."""

    @contextlib.contextmanager
    def manager(title):
        for n in tracked(title):
            if n == 2:
                yield
                break

    with manager("break in a manager"):
        pass
    with contextlib.suppress(ValueError), manager("failure in a manager"):
        fail(2)

    def raises():
        for n in tracked("raises StopIteration"):
            if n == 2:
                raise StopIteration

    with contextlib.suppress(StopIteration):
        raises()


def swallowed():
    """Leave loops by an exception that C code swallows."""

    class Odd:
        @property
        def there(self):
            for n in tracked("in a property"):
                if n == 2:
                    raise AttributeError("there")

    hasattr(Odd(), "there")

    def start():
        for n in tracked("thread"):
            fail(n)

    hook, threading.excepthook = threading.excepthook, lambda *_: None
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    threading.excepthook = hook


def kept():
    """Keep the generator longer than its loop."""
    loop = tracked("kept and failed")
    try:
        for n in loop:
            fail(n)
    except ValueError:
        pass
    del loop
    loop = tracked("kept and replaced")
    with contextlib.suppress(ValueError):
        for n in loop:
            fail(n)
    loop = None

    def in_a_frame():
        loop = tracked("kept by a traceback")
        for n in loop:
            fail(n)

    try:
        in_a_frame()
    except ValueError:
        pass
    gc.collect()
    assert loop is None
    for title in ("kept and closed", "kept, closed and failed"):
        loop = tracked(title)
        with contextlib.suppress(ValueError):
            for n in loop:
                if n == 2:
                    break
                fail(n, at=1 if "failed" in title else None)
        loop.close()
        del loop


async def loops(title, error=ValueError):
    for n in tracked(title):
        if n == 2:
            raise error("bad")
        await asyncio.sleep(0)


async def deeper(title):
    await loops(title)


async def cancelled(title):
    """Wait to be cancelled, from this coroutine's first turn on: no timer can be sooner."""
    for n in tracked(title):
        if n == 2:
            await asyncio.sleep(60)


async def fine(title):
    for n in tracked(title):
        await asyncio.sleep(0)
        if n == 2:
            break
    return "fine"


async def items(title):
    for n in tracked(title):
        yield n


@contextlib.asynccontextmanager
async def forgiving():
    try:
        yield
    except ValueError:
        pass


async def generators():
    """Drive asynchronous generators, which are closed in tasks of their own."""
    async for _ in items("generator driven"):
        pass
    left = items("generator left")
    async for n in left:
        if n == 2:
            break
    await left.aclose()
    with contextlib.suppress(ValueError):
        async for n in items("generator's driver fails"):
            fail(n)
    await asyncio.sleep(0.01)
    gc.collect()
    await asyncio.sleep(0.01)
    async with forgiving():
        for n in tracked("forgiven"):
            fail(n)
    async with forgiving():
        for n in tracked("nothing to forgive"):
            if n == 2:
                break


async def in_groups():
    """Fail in a task group, which Python has from 3.11 on."""
    if not hasattr(asyncio, "TaskGroup"):
        return
    with contextlib.suppress(Exception):
        async with asyncio.TaskGroup() as group:
            group.create_task(loops("task group"))
            group.create_task(cancelled("beside it"))
    async with asyncio.TaskGroup() as group:
        group.create_task(fine("fine in a group"))


class Cancelled(BaseException):
    """Is named as trio's."""


def driven_by_hand():
    """Drive coroutines as trio does, whose loop is Python, or close them where they wait."""

    @types.coroutine
    def pause():
        yield

    async def waiting(title, at=2):
        for n in tracked(title):
            if n == at:
                break
            await pause()

    def drive(coroutine):
        try:
            while True:
                coroutine.send(None)
        except StopIteration as end:
            return end.value

    drive(waiting("driven by hand"))
    left = waiting("closed where it waits", at=None)
    for _ in range(3):
        left.send(None)
    left.close()
    with contextlib.suppress(Cancelled):
        drive(loops_without_sleep("cancelled by trio", Cancelled))


async def loops_without_sleep(title, error):
    for n in tracked(title):
        if n == 2:
            raise error("bad")


async def managed():
    """Break within an asynchronous context manager, whose end its caller sees as an exception."""

    @contextlib.asynccontextmanager
    async def manager():
        for n in tracked("break in an asynchronous manager"):
            if n == 2:
                yield
                break

    async with manager():
        pass


async def in_tasks():
    await asyncio.gather(loops("gather"), fine("gather beside"), return_exceptions=True)
    task = asyncio.create_task(loops("create_task"))
    with contextlib.suppress(ValueError):
        await task
    task = asyncio.ensure_future(deeper("in a deeper task"))
    await asyncio.wait([task])
    assert task.exception() is not None
    task = asyncio.create_task(cancelled("cancelled"))
    await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(cancelled("timed out"), 0.05)
    await fine("a task that is fine")
    await asyncio.create_task(fine("another task that is fine"))


class Forgiving:
    async def __aenter__(self):
        pass

    async def __aexit__(self, *exception):
        await asyncio.sleep(0)
        return True


async def waits():
    for n in tracked("beside the first"):
        await asyncio.sleep(0 if n < 2 else 60)


async def left_by_waiting():
    async with Forgiving():
        for n in tracked("break, then a wait"):
            if n == 2:
                break
    async with Forgiving():
        for n in tracked("failure, then a wait"):
            fail(n)
    with contextlib.suppress(ValueError):
        for done in asyncio.as_completed([loops("as completed")]):
            await done
    broken, slow = asyncio.create_task(loops("first to fail")), asyncio.create_task(waits())
    _, pending = await asyncio.wait([broken, slow], return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    await asyncio.gather(broken, slow, return_exceptions=True)


def forgotten_by_its_owner():
    unretrieved = []

    async def forgotten():
        task = asyncio.create_task(loops("never retrieved"))
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: unretrieved.append(context["message"])
        )
        await asyncio.sleep(0.05)
        del task
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(forgotten())
    assert unretrieved == ["Task exception was never retrieved"], unretrieved


def in_asyncio():
    with contextlib.suppress(ValueError):
        asyncio.run(loops("asyncio.run"))
    with contextlib.suppress(ValueError):
        asyncio.run(deeper("awaited by another"))
    asyncio.run(in_tasks())
    asyncio.run(left_by_waiting())
    asyncio.run(generators())
    asyncio.run(in_groups())
    asyncio.run(managed())
    forgotten_by_its_owner()


plainly()
again()
while_handling()
in_one_line()
nested()
driven_by_others()
driven_by_hand()
comprehensions()
generators_that_return()
swallowed()
kept()
in_asyncio()
assert sys.gettrace() is None
assert LoopFrame(None)
print(json.dumps({**TOLD, "version": sys.version_info[:2]}))

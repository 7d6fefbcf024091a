"""Fork at every moment, in the ways that programs do; see test_forks.py.

It runs in interpreters that have nothing but the standard library, Python 3.9 among them.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time

from jupyter_notify import fork, notify

#: A child that hangs is ended by the system, and its exit code then says so.
CHILD_S = 20


def child(work, *arguments):
    """Fork, let the child do something and end without Python's own end; return its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.alarm(CHILD_S)
        work(*arguments)
        code = 0 if notify.flush(10) else 2
    finally:
        os._exit(code)


def wait(*pids):
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    assert not any(codes), codes


def say(text):
    notify(text)


def right_after_the_first():
    """Fork while the first message is on its way: nothing of the sender's was used before."""
    say("parent first")
    wait(child(say, "child first"))


def at_every_moment():
    pids = []
    for n in range(30):
        say(f"parent {n}")
        time.sleep(n % 10 * 0.003)
        pids.append(child(say, f"child {n}"))
    wait(*pids)


def while_threads_send():
    done = threading.Event()

    def keep_sending():
        n = 0
        while not done.is_set():
            notify(f"thread at {n}", key="thread")
            n += 1

    threads = [threading.Thread(target=keep_sending) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        wait(*[child(say, f"beside threads {n}") for n in range(10)])
    finally:
        done.set()
        for thread in threads:
            thread.join()


def in_progress():
    with notify.progress("Parent", total=2) as progress:
        progress.update()
        notify("warm").wait()

        def leave():
            # This is the child's copy of the progress; only the parent may report its end.
            progress.done()
            notify("from a child in it")

        wait(child(leave))
        progress.update()


class Slow:
    """An importer that makes a module's import take long, and reports that it has begun."""

    def __init__(self, module):
        self._module = module
        self.begun = threading.Event()

    def find_spec(self, name, path=None, target=None):
        if name == self._module and not self.begun.is_set():
            self.begun.set()
            time.sleep(0.5)


def beside_the_first_question():
    """Fork while another thread, which is to ask, imports what both sides need."""
    slow = Slow("jupyter_notify.connection")
    sys.meta_path.insert(0, slow)
    thread = threading.Thread(target=notify.ask, args=("asked?", "Yes"), kwargs={"timeout": 0})
    thread.start()
    assert slow.begun.wait(20)
    wait(child(say, "beside a question"))
    thread.join()


def work(n):
    notify(f"worker {n}")
    return n


def workers():
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=work, args=(n,)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, process.exitcode
    with context.Pool(2) as pool:
        assert pool.map(work, range(10, 16)) == list(range(10, 16))
        pool.close()
        pool.join()


def loop(n):
    for _ in notify.track(range(2), f"Loop {n}"):
        pass


def killed_workers():
    """Leave pools by the end of a ``with``, which kills their workers."""
    for method, begin in (("fork", 20), ("spawn", 30)):
        for function in (work, loop):
            with multiprocessing.get_context(method).Pool(2) as pool:
                pool.map(function, range(begin, begin + 2))


class Loader:
    """A loader whose workers make the items, as in libraries for machine learning."""

    def __init__(self, length):
        self._length = length

    def __len__(self):
        return self._length

    def __iter__(self):
        context = multiprocessing.get_context("fork")
        jobs, made = context.SimpleQueue(), context.SimpleQueue()
        processes = [context.Process(target=self._work, args=(jobs, made)) for _ in range(2)]
        for process in processes:
            process.start()
        for n in range(self._length):
            jobs.put(n)
        for _ in range(self._length):
            yield made.get()
        for _ in processes:
            jobs.put(None)
        for process in processes:
            process.join()
            assert process.exitcode == 0, process.exitcode

    @staticmethod
    def _work(jobs, made):
        while True:
            n = jobs.get()
            if n is None:
                return
            if n == 3:
                notify("from a loader's worker")
            made.put(n)


def loaders():
    for epoch in range(3):
        assert sorted(notify.track(Loader(6), f"Epoch {epoch}")) == list(range(6))


def prefork():
    """Fork workers that take jobs and never run Python's own exit functions."""
    read, write = os.pipe()
    say("prefork parent")

    def take_jobs(number):
        os.close(write)
        while True:
            job = os.read(read, 1)
            if not job:
                return
            notify(f"job {job.decode()}")

    pids = [child(take_jobs, number) for number in range(3)]
    os.close(read)
    for job in "abcdef":
        os.write(write, job.encode())
        time.sleep(0.01)
    os.close(write)
    wait(*pids)


def in_a_handler():
    """Fork in a handler whose signal comes while the sender imports what it needs."""
    pids = []

    def hook(event, arguments):
        begun = "jupyter_notify.connection" in sys.modules
        if event == "import" and begun and not pids:
            pids.append(0)
            os.kill(os.getpid(), signal.SIGUSR1)

    def handler(number, frame):
        pids.append(child(say, "from a handler"))

    signal.signal(signal.SIGUSR1, handler)
    sys.addaudithook(hook)
    say("interrupted")
    wait(*pids[1:])
    assert len(pids) == 2


def in_a_thread():
    """Fork in a thread, and let the child leave that thread's function: then it is over."""
    codes, left = [], []

    def fork_and_leave():
        pid = os.fork()
        if pid:
            codes.append(os.waitpid(pid, 0)[1])
            return
        signal.alarm(CHILD_S)
        kept = notify.progress("Loop of a thread", total=2)
        kept.update()
        left.append(kept)
        notify("from a child of a thread")

    say("beside the main thread")
    for _ in range(2):
        thread = threading.Thread(target=fork_and_leave)
        thread.start()
        thread.join()
    assert codes == [0, 0], codes


def interrupted():
    """Be interrupted while a fork waits for the sender: Python ignores that, and forks."""

    class Interrupted:
        def before_fork(self):
            raise KeyboardInterrupt

        def after_fork_in_parent(self):
            """Nothing has begun."""

        after_fork_in_child = after_fork_in_parent

    say("before the interrupt")
    told, sys.unraisablehook = [], lambda unraisable: told.append(unraisable.exc_type)
    one = Interrupted()
    fork.register(one)
    wait(child(say, "from a child nevertheless"))
    del one
    assert told == [KeyboardInterrupt], told
    say("after the interrupt")


def bars():
    """Open a bar in a child while its parent's is open."""
    # It would show the bars on the terminal as well.
    sys.modules["tqdm"] = None
    for n in notify.tqdm(range(2), desc="Loop of bars"):
        wait(child(bar, n))


def bar(n):
    for _ in notify.tqdm(range(2), desc=f"Loop {n}"):
        pass


if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[name]()
    assert notify.flush(20)

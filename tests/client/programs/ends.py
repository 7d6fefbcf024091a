"""Send after the last line of a program, in the ways that programs do; see test_forks.py."""

import atexit
import sys
import threading
import weakref

from jupyter_notify import notify


class Kept:
    """An object that is collected when nothing can be sent any more."""

    def __del__(self):
        notify("too late")


def registered():
    """Run functions after the sender's own exit function, which the first message registers."""

    def loop():
        for _ in notify.track(range(2), "Loop at exit"):
            pass

    atexit.register(notify, "at exit")
    atexit.register(loop)
    kept.append(Kept())
    weakref.finalize(kept[0], notify, "finalized")
    notify("first")


def only():
    """Send nothing before the end."""
    atexit.register(lambda: print(notify("only at exit").wait(5)))


def thread():
    """Start a thread that sends its first message after the program's last line has run."""
    main = threading.main_thread()

    def go_on():
        main.join()
        notify("from a thread that goes on")

    threading.Thread(target=go_on).start()


kept = []
for name in sys.argv[1:]:
    globals()[name]()

"""The former name of ``jupyter_notify.tqdm``."""

from jupyter_notify.tqdm import tqdm, trange

__all__ = ["tqdm", "trange"]

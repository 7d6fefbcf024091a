"""The former name of ``jupyter_notify.apprise``; importing it registers the plugin, too."""

from jupyter_notify.apprise import NotifyJupyter

__all__ = ["NotifyJupyter"]

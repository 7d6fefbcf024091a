"""The sender's side: ``jupyter notify``, and ``from jupyterlab_notify import notify``.

Nothing here imports the server's rooms, and the server imports nothing from here.
"""

"""The sources of messages besides ingest: a central service, files, and the home directory.

A source is a class with the methods of ``source.Source``, in one file here. ``app`` lists the
factories of the configured sources. A source is created when it is first needed, and is idle while
no tab is open.
"""

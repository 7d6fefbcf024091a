"""Templates of structured notifications: a directory of Markdown files that a site keeps.

The service uses `directory`, which looks at the files. `template` is one file, `sandbox` runs the
expressions between braces, and `check` tries every template, for the command line.
"""

from __future__ import annotations

from .check import Finding, check_directory
from .directory import TemplateDirectory
from .template import Template, TemplateError

__all__ = ["Finding", "Template", "TemplateDirectory", "TemplateError", "check_directory"]

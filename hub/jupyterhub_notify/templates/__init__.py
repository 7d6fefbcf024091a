"""Templates of structured notifications: a directory of Markdown files that a site keeps.

`directory` looks at the files and is what the service uses; `template` is one file; `sandbox`
runs what stands between braces; `check` tries every one, for the command line.
"""

from __future__ import annotations

from .check import Finding, check_directory
from .directory import TemplateDirectory
from .template import Template, TemplateError

__all__ = ["Finding", "Template", "TemplateDirectory", "TemplateError", "check_directory"]

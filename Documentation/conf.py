# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx configuration: nothing but names, no extension is needed."""

project = "rhugefs"
author = "The rhugefs developers"
copyright = author

root_doc = "index"
highlight_language = "none"
exclude_patterns = ["_build"]
html_theme = "alabaster"

"""How Sphinx builds the site: `make docs` runs it, without a network.

This module decides the theme, what is taken from the code, and that no page loads anything from
another server.
"""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [
    str(HERE / "extensions"),
    *(str(HERE.parent / name) for name in ("generated", "overrides")),
]

project = "hubspot-batch"
author = "the authors of hubspot-batch"
copyright = "the authors of hubspot-batch, Apache-2.0"  # noqa: A001 - the name of Sphinx's setting
release = version = runpy.run_path(str(HERE.parent / "overrides/hubspot_batch/version.py"))[
    "__version__"
]

extensions = ["myst_parser", "site_parts"]
exclude_patterns = ["requirements.txt", "_templates", "extensions"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

smartquotes = False  # a quotation mark is often code

html_theme = "furo"
html_title = f"hubspot-batch {release}"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_sourcelink = False
html_last_updated_fmt = None
pygments_style = "default"
# No service of others: no badge, no advertisement, no link to edit pages elsewhere.
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}

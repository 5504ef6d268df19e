"""``python -m containernet``: the command ``cnet``."""

from __future__ import annotations

import sys

from containernet.cli.main import end, main

end(main(sys.argv[1:], "cnet"))

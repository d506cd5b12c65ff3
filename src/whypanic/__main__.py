"""`python -m whypanic`."""

import sys

from whypanic.cli.main import main

sys.exit(main())

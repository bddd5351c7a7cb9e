"""Who is asked where nobody else is named."""

from typing import Final

#: The database of OSV: Python and npm.
OSV: Final = "https://api.osv.dev"
#: The feeds of Debian's security tracker, one for each release.
TRACKER: Final = "https://security-tracker.debian.org/tracker/debsecan/release/1"
#: The registry of npm, which knows what `npm audit` tells.
NPM: Final = "https://registry.npmjs.org"
#: The index of Python packages, which knows what was withdrawn.
PYPI: Final = "https://pypi.org/simple"
#: The catalogue of what is known to be exploited.
EXPLOITED: Final = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"

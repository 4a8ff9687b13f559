"""Print the API's OpenAPI document without a server: what the page's types are generated from."""

import json
import sys
from typing import cast

from liberty.api.application import build
from liberty.api.services import Services
from liberty.live.events import HANDLED

application, _ = build(cast(Services, None), HANDLED)
json.dump(application.openapi(), sys.stdout, indent=1, sort_keys=True)

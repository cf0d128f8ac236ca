"""Which adapter stands behind which port, and which use cases make up a connector?

The composition root: the only place, beside `connector.rehearsing`, that sees adapters and services together.
"""

from connector.bootstrap.connector import Connector, build_connector
from connector.bootstrap.outside import HUBSPOT, SALESFORCE, lanes, own_lanes

__all__ = ["HUBSPOT", "SALESFORCE", "Connector", "build_connector", "lanes", "own_lanes"]

"""What do both CRMs' clients say on the wire, and what are they answered? One YAML file per scene.

`python -m tests.adapters.crm.cassettes.record` writes them, see there.
"""

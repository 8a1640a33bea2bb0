"""The demo world: small seeded API services on loopback, and tasks whose outcome can be checked.

Nothing is imported here: take `World` from ``toolhaft.world.server``, `load_tasks` from
``toolhaft.world.tasks`` and `check` from ``toolhaft.evaluators.state_check``.
"""

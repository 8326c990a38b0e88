"""The sync engine: sends what the plan in the warehouse says, and records what became of it.

It knows no endpoint. ``run_sync`` in ``orchestration.sync.run`` is the door.
"""

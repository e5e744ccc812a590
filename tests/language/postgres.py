"""The throw-away PostgreSQL server of the live tests; it is the demo's own."""

from muniment.demo.postgres import (
    Server,
    ServerError,
    find_programs,
    free_port,
    programs_of_wheel,
    running,
    unprivileged_user,
)

__all__ = [
    "Server",
    "ServerError",
    "find_programs",
    "free_port",
    "programs_of_wheel",
    "running",
    "unprivileged_user",
]

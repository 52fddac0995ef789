"""Redis: its settings, one user per service with the least rights, and the address each service is given."""

from __future__ import annotations

import hashlib

_QUEUE_RIGHTS = (
    "-@all +@read +@write +@connection +@pubsub +@transaction +@scripting +@blocking -@dangerous +info +keys"
    " +client|list +time"
)
_CACHE_RIGHTS = "-@all +@read +@write +@connection +@transaction +@scripting -@dangerous +time"
_ROOM_RIGHTS = "-@all +@read +@write +@connection +@pubsub +@transaction +@scripting +@blocking -@dangerous +time"

# Who may touch which keys (~) and channels (&). Database numbers keep the two queues apart.
_RIGHTS = {
    # A subscription by pattern needs that very pattern, not one that covers it.
    "sync": f"resetchannels ~kd:room* ~kd:sync* &kd:* &kd:room:* {_ROOM_RIGHTS}",
    "downloader": f"resetchannels ~rq:* ~kd:downloader:* &rq:* &kd:* {_QUEUE_RIGHTS}",
    "catalogue": f"resetchannels ~rq:* ~kd:catalogue:* &rq:* &kd:* {_QUEUE_RIGHTS}",
    "resolver": f"resetchannels ~kd:resolver:* {_CACHE_RIGHTS}",
}
DATABASES = {"sync": 0, "downloader": 1, "catalogue": 2, "resolver": 3}
HEALTH_USER = "health"  # may say PING and nothing else, so it needs no password


def users_acl(passwords: dict[str, str]) -> str:
    """Return the ACL file; passwords stand in it as SHA-256 sums.

    The default user cannot log in but keeps its rights: Redis replays its append-only file as that user, and with
    `off` alone every write made by MULTI or Lua would be dropped at the next start.
    """
    lines = [
        "user default off resetpass ~* &* +@all",
        f"user {HEALTH_USER} on nopass resetkeys resetchannels -@all +ping",
    ]
    for name, rights in _RIGHTS.items():
        digest = hashlib.sha256(passwords[name].encode()).hexdigest()
        lines.append(f"user {name} on #{digest} {rights}")
    return "\n".join(lines) + "\n"


def redis_conf(*, folder: str, acl_file: str, bind: str, port: int, max_memory: str) -> str:
    """Return the settings of a Redis that loses at most a second of writes and throws nothing away by itself."""
    return "\n".join(
        (
            f"bind {bind}",
            f"port {port}",
            "protected-mode yes",
            "daemonize no",
            f'dir "{folder}"',
            f'aclfile "{acl_file}"',
            "databases 4",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            f"maxmemory {max_memory}",
            "maxmemory-policy noeviction",
            "tcp-keepalive 60",
            'logfile ""',
            "",
        )
    )


def redis_url(service: str, password: str, *, host: str, port: int) -> str:
    """Return the address, with user and password, that a service connects to."""
    return f"redis://{service}:{password}@{host}:{port}/{DATABASES[service]}"

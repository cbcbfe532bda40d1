"""`serve`: the web server of one process."""

from __future__ import annotations

import logging
import socket

import uvicorn

from dashboards.assembly import create_server
from dashboards.quiet import SeldomFilter
from hypervision.endpoints import complete
from hypervision.errors import ServiceError
from hypervision.settings import Settings

log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Serve until told to stop; the log-in page answers even while the database is away.

    Raises
    ------
    ServiceError
        The port is busy or not ours to take.

    Notes
    -----
    Without its reader a server would show a town that stands still: it ends with what ended the reader, and whoever
    supervises it begins it anew.
    """
    server = create_server(complete(settings, process="serve"))
    bound = bind(settings.http.host, settings.http.port)
    config = uvicorn.Config(
        server.app,
        # Its lines go where ours go, and look like them.
        log_config=None,
        log_level="warning",
        access_log=False,
        # Bounds a request's line and headers (64 KiB); the faster httptools keeps what it gets without an end.
        http="h11",
        ws="websockets-sansio",
        ws_max_size=65_536,
        ws_ping_interval=10.0,
        ws_ping_timeout=10.0,
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.http.proxies,
    )
    # A warning for each broken request, an error for each that fails: anybody could fill the disk.
    logging.getLogger("uvicorn.error").addFilter(SeldomFilter())
    host, port = bound.getsockname()[:2]
    log.info("control room at http://%s:%d/", host, port)
    web = uvicorn.Server(config)

    def leave() -> None:
        web.should_exit = True

    server.reader.ended = leave
    web.run(sockets=[bound])
    server.reader.check()
    return 0


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is opened, so that a busy one is told in one sentence.

    Raises
    ------
    ServiceError
        It cannot be taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise ServiceError(
            f"setting 'http.port' {port} on {host} cannot be taken ({error.strerror})",
            remedy="choose another with --http-port, or 0 for any free one",
        ) from None
    return made

"""A connection that may break: work that can be repeated is repeated on a new one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from driftguard.config import Config
from driftguard.errors import UnreachableError
from driftguard.snowflake.errors import connection_lost, unreachable
from driftguard.snowflake.session import Session

T = TypeVar("T")
TRIES = 5


class Link:
    """One session at a time. `prepare` is run on each new one, so that it stands where the old one stood."""

    def __init__(
        self, session: Session, open_session: Callable[[], Session], prepare: Callable[[Session], None] | None = None
    ) -> None:
        self.session = session
        self._open_session = open_session
        self.prepare = prepare

    def another(self) -> Session:
        """A further session of the same kind. Raises `UnreachableError`."""
        session = self._open_session()
        if self.prepare is not None:
            self.prepare(session)
        return session

    def sibling(self) -> Link:
        """A link of its own, for another thread."""
        return Link(self.another(), self._open_session, self.prepare)

    def reconnect(self) -> None:
        """A new session in place of the broken one. Raises `UnreachableError` after some tries."""
        with contextlib.suppress(Exception):
            self.session.close()  # also ends it on the server, so that nothing sent late runs in it
        retrying = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=0.5, max=10),
            retry=retry_if_exception_type(UnreachableError),
            reraise=True,
        )
        self.session = retrying(self.another)

    def call(self, work: Callable[[Session], T]) -> T:
        """`work`, which must do no harm when it is done twice. Raises `UnreachableError` when it cannot be done."""
        for left in reversed(range(TRIES)):
            try:
                return work(self.session)
            except Exception as error:
                if not connection_lost(error):
                    raise
                if not left:
                    raise unreachable(error, self.session.where) from None
                self.reconnect()
        raise AssertionError("the last try returns or raises")


@contextlib.contextmanager
def linked(config: Config) -> Iterator[Link]:
    """A link for what is only looked at, or may be written twice. Raises `ConfigError` or `UnreachableError`."""

    def open_session() -> Session:
        return Session.open(config)

    link = Link(open_session(), open_session)
    try:
        yield link
    finally:
        link.session.close()

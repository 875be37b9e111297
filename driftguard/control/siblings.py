"""Further connections beside the first: opened while there is other work to do, closed at the end."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from driftguard.control.link import Link
from driftguard.snowflake.session import Session


class Siblings:
    """`open` begins, `take` waits. A login takes longer than most statements."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._opening: list[Future[Link]] = []

    def open(self, count: int) -> None:
        """Have `count` connections, or begin to have them."""
        missing = count - len(self._opening)
        if missing > 0:
            pool = ThreadPoolExecutor(missing, thread_name_prefix="sibling")
            self._opening += [pool.submit(self._link.sibling) for _ in range(missing)]
            pool.shutdown(wait=False)

    def take(self, count: int) -> list[Link]:
        """`count` of them. Raises `UnreachableError`."""
        self.open(count)
        return [opening.result() for opening in self._opening[: max(count, 0)]]

    def close(self) -> None:
        """End those that came to be, all at once: each has to be told to the server."""
        open_ = [opening.result().session for opening in self._opening if opening.exception() is None]
        if open_:
            with ThreadPoolExecutor(len(open_)) as pool:
                pool.map(Session.close, open_)

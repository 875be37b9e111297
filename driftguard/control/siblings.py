"""Further connections beside the first: opened while there is other work to do, closed at the end."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

from driftguard.control.link import Link
from driftguard.snowflake.session import Session


class Siblings:
    """`open` begins, `take` waits. A login takes longer than most statements."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._opening: list[Future[Link]] = []
        self._ending: list[Future[None]] = []

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

    def end(self) -> None:
        """Begin to end them, all at once: each has to be told to the server. None of them is at work any more."""
        opening, self._opening = self._opening, []
        if opening:
            pool = ThreadPoolExecutor(len(opening), thread_name_prefix="ending")
            self._ending += [pool.submit(_end, one) for one in opening]
            pool.shutdown(wait=False)

    def close(self) -> None:
        """All have ended."""
        self.end()
        wait(self._ending)


def _end(opening: Future[Link]) -> None:
    if opening.exception() is None:  # one that never came to be has nothing to end
        Session.close(opening.result().session)

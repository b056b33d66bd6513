"""Waiting for what comes by itself."""
import time

from kit import paths

PAUSE = 0.05


def until(look, otherwise='it did not come about', seconds=20):
    """What `look` gives as soon as that is true; `otherwise` says what is wrong when it never is."""
    end = time.monotonic() + seconds * paths.SLOWER
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, otherwise
        time.sleep(PAUSE)

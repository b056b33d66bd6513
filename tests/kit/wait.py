"""Waiting for what comes by itself."""
import time

from kit import paths

PAUSE = 0.05


def until(look, otherwise, seconds=2 * paths.PATIENCE):
    """What `look` gives as soon as that is true; `otherwise` says what is wrong when it never is."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, otherwise
        time.sleep(PAUSE)

"""The line clients against a socket whose other end the test holds."""
import socket
import threading
import time

import pytest

from kit import wire


@pytest.fixture
def pair():
    """A Line, and the server's end of it."""
    listener = socket.create_server(('127.0.0.1', 0))
    line = wire.Line(listener.getsockname()[1], timeout=5)
    other, _ = listener.accept()
    yield line, other
    line.close()
    other.close()
    listener.close()


def test_lines_over_packets(pair):
    line, other = pair
    other.sendall(b'one\r\ntwo')
    assert line.line() == b'one'
    other.sendall(b'\r')
    threading.Timer(0.05, other.sendall, [b'\nx\ny\r\n']).start()
    assert line.line() == b'two'
    assert line.line() == b'x\ny'
    assert line.pending == b''
    other.close()
    assert line.at_end()


def test_exactly_and_the_rest(pair):
    line, other = pair
    other.sendall(b'{5}\r\nhello)\r\n')
    assert (line.line(), line.exactly(5), line.line()) == (b'{5}', b'hello', b')')


def test_many_lines_take_little_time(pair):
    line, other = pair
    threading.Thread(target=other.sendall, args=(b'a OK done\r\n' * 200000,), daemon=True).start()
    started = time.monotonic()
    for _ in range(200000):
        assert line.line() == b'a OK done'
    assert time.monotonic() - started < 5


def test_silence_and_closing(pair):
    line, other = pair
    assert line.silent_for(0.05)
    other.sendall(b'x')
    assert not line.silent_for(1)
    other.close()
    with pytest.raises(wire.Closed):
        line.line()


def test_dot_stuffing_and_the_last_line():
    assert wire.end_of_data(b'a\r\n.b\r\n..\r\n') == b'a\r\n..b\r\n...\r\n.'
    assert wire.end_of_data(b'a') == b'a\r\n.'
    assert wire.end_of_data(b'.') == b'..\r\n.'


def test_proxy_header():
    assert wire.proxy_v2('192.0.2.1', 1).hex() == '0d0a0d0a000d0a515549540a2111000c' 'c0000201' '7f000001' '0001' '0019'

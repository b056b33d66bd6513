"""Marionette: how Mozilla's programs let themselves be looked at; JSON over TCP on loopback."""
import base64
import json
import socket

from kit import paths


class Refused(Exception):
    """The program says that it cannot do what was asked."""


class Marionette:
    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), 3 * paths.PATIENCE)
        self.stream = self.socket.makefile('rb')
        self.number = 0
        self._message()
        self.ask('WebDriver:NewSession')
        self.ask('Marionette:SetContext', value='chrome')

    def _message(self):
        """One message: its length in ASCII, a colon, the JSON."""
        length = b''
        while not length.endswith(b':'):
            octet = self.stream.read(1)
            if not octet:
                raise Refused('the program closed the connection')
            length += octet
        return json.loads(self.stream.read(int(length[:-1])))

    def ask(self, command, **arguments):
        self.number += 1
        text = json.dumps([0, self.number, command, arguments]).encode()
        self.socket.sendall(b'%d:' % len(text) + text)
        _, _, problem, result = self._message()
        if problem:
            raise Refused(f'{problem["error"]}: {problem["message"]}\n{problem.get("stacktrace", "")}')
        return result.get('value') if isinstance(result, dict) else result

    def run(self, script, *arguments):
        """Runs the body of a function in the program's own window; what it returns (a promise is waited for)."""
        return self.ask('WebDriver:ExecuteScript', script=script, args=list(arguments), sandbox='system',
                        newSandbox=False)

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask('WebDriver:TakeScreenshot', full=True, hash=False)))

    def close(self):
        self.stream.close()
        self.socket.close()

"""Chromium, driven as WebDriver says (W3C): its chromedriver listens on loopback, we speak JSON over HTTP to it."""
import base64
import json
import os
import re
import urllib.error
import urllib.request

from desk import programs
from kit import paths

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
WIDTH, HEIGHT = 1360, 860
STARTED = re.compile(r'started successfully on port (\d+)')


class Refused(Exception):
    """The driver says that it cannot do what was asked."""


class Element:
    def __init__(self, browser, number):
        self.browser = browser
        self.number = number

    def click(self):
        self.browser.ask('POST', f'/element/{self.number}/click', {})

    def type(self, text):
        self.browser.ask('POST', f'/element/{self.number}/value', {'text': text})

    def text(self):
        return self.browser.ask('GET', f'/element/{self.number}/text')

    def shown(self):
        return self.browser.ask('GET', f'/element/{self.number}/displayed')


class Browser:
    """One Chromium with a profile of its own, which sees no host but this one."""

    def __init__(self, driver, chromium, home):
        self.home = home
        self.child = programs.start([driver, '--port=0'], 'chromedriver', HOME=str(home))
        self.base = f'http://127.0.0.1:{self._port()}/session'
        self.base += '/' + self._request('POST', '', self._wishes(chromium))['sessionId']

    def _wishes(self, chromium):
        arguments = ['--headless=new', f'--user-data-dir={self.home}/chromium', f'--window-size={WIDTH},{HEIGHT}',
                     '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-gpu',
                     '--disable-dev-shm-usage', '--no-proxy-server',
                     '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']
        if os.geteuid() == 0:
            arguments.append('--no-sandbox')      # Chromium refuses its sandbox to root
        return {'capabilities': {'alwaysMatch': {'goog:chromeOptions': {'binary': chromium, 'args': arguments}}}}

    def _port(self):
        log = programs.log_of('chromedriver')
        found = programs.until(lambda: STARTED.search(log.read_text()), 'chromedriver does not start')
        return int(found.group(1))

    def _request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {'Content-Type': 'application/json'}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=6 * paths.PATIENCE) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as problem:
            value = json.loads(problem.read())['value']
            raise Refused(f'{value["error"]}: {value["message"].splitlines()[0]}') from None

    def ask(self, method, path, body=None):
        return self._request(method, path, body)

    def go(self, url):
        self.ask('POST', '/url', {'url': url})

    def all(self, css):
        found = self.ask('POST', '/elements', {'using': 'css selector', 'value': css})
        return [Element(self, e[ELEMENT]) for e in found]

    def one(self, css, text=''):
        """The first element that is to be seen and holds the text; waits for it."""
        def look():
            return next((e for e in self.all(css) if e.shown() and text in e.text()), None)
        return programs.until(look, f'no {css} with "{text}"', Refused)

    def texts(self, css):
        """What the elements that are to be seen say."""
        return self.run('return [...document.querySelectorAll(arguments[0])].filter(e => e.getClientRects().length)'
                        '.map(e => e.innerText.trim())', css)

    def run(self, script, *arguments):
        return self.ask('POST', '/execute/sync', {'script': script, 'args': list(arguments)})

    def enter_frame(self, element):
        self.ask('POST', '/frame', {'id': {ELEMENT: element.number}})

    def leave_frame(self):
        self.ask('POST', '/frame', {'id': None})

    def drag(self, thing, target):
        """The left button goes down on one element and up on the other, with a move between as a hand makes it."""
        def move(element, dx=0):
            return {'type': 'pointerMove', 'duration': 150, 'origin': {ELEMENT: element.number}, 'x': dx, 'y': 0}
        steps = [move(thing), {'type': 'pointerDown', 'button': 0}, move(thing, 20), move(target), move(target, 5),
                 {'type': 'pause', 'duration': 200}, {'type': 'pointerUp', 'button': 0}]
        self.ask('POST', '/actions', {'actions': [{'type': 'pointer', 'id': 'mouse', 'actions': steps}]})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.ask('GET', '/screenshot')))

    def stop(self):
        try:
            self.ask('DELETE', '')
        finally:
            programs.end(self.child)

"""Debian's Thunderbird on a display of its own (Xvfb): its profile is written as files, xdotool is the hand, and
Marionette the eye."""
import os
import pathlib
import re
import subprocess

from desk import marionette, nss, programs
from kit import paths

LIBRARY = '/usr/lib/thunderbird/libnss3.so'
WIDTH, HEIGHT = 1280, 800
USED = re.compile(r'^(\d+)$', re.M)
# An account as the dialog for a new one leaves it, and silence about everything that is not mail.
PREFERENCES = {
    'mail.accountmanager.accounts': 'account1,account2',
    'mail.accountmanager.defaultaccount': 'account1',
    'mail.accountmanager.localfoldersserver': 'server2',
    'mail.account.account1.server': 'server1',
    'mail.account.account1.identities': 'id1',
    'mail.account.account2.server': 'server2',
    'mail.server.server2.type': 'none',
    'mail.server.server2.hostname': 'Local Folders',
    'mail.server.server2.userName': 'nobody',
    'mail.server.server2.name': 'Local Folders',
    'mail.server.server1.type': 'imap',
    'mail.server.server1.hostname': 'localhost',
    'mail.server.server1.socketType': 3,                  # TLS from the first octet
    'mail.server.server1.authMethod': 3,                  # a password
    'mail.server.server1.login_at_startup': True,
    'mail.server.server1.check_new_mail': True,
    'mail.server.server1.autosync_offline_stores': False,
    'mail.smtpservers': 'smtp1',
    'mail.smtp.defaultserver': 'smtp1',
    'mail.smtpserver.smtp1.hostname': 'localhost',
    'mail.smtpserver.smtp1.try_ssl': 3,
    'mail.smtpserver.smtp1.authMethod': 3,
    'mail.identity.id1.fullName': 'User One',
    'mail.identity.id1.smtpServer': 'smtp1',
    'mail.identity.id1.valid': True,
    'mail.identity.id1.compose_html': False,
    'mail.warn_on_send_accel_key': False,
    'app.update.enabled': False,
    'app.donation.eoy.version.viewed': 999,
    'datareporting.policy.dataSubmissionEnabled': False,
    'datareporting.healthreport.uploadEnabled': False,
    'toolkit.telemetry.enabled': False,
    'extensions.update.enabled': False,
    'mail.inappnotifications.enabled': False,
    'mail.provider.suppress_dialog_on_startup': True,
    'mail.rights.version': 1,
    'mail.shell.checkDefaultClient': False,
    'mail.spam.version': 1,
    'mailnews.start_page.enabled': False,
    'mailnews.start_page_override.mstone': 'ignore',
    'network.captive-portal-service.enabled': False,
    'network.connectivity-service.enabled': False,
    'network.proxy.type': 0,
    'marionette.port': 0,                                 # any; it writes which into the profile
    'mailnews.mark_message_read.auto': True,
    'intl.regional_prefs.use_os_locales': False,
}
# What the eye looks through: the main window's three panes, and the display's coordinates of anything.
LOOK = '''
const pane = Services.wm.getMostRecentWindow("mail:3pane").document.getElementById("tabmail").currentAbout3Pane;
const shown = () => pane.messageBrowser.contentWindow;
const rows = kind => [...pane.document.querySelectorAll(
    {folder: "#folderTree li .name", message: "#threadTree [is=thread-card]"}[kind])]
    .filter(e => e.getClientRects().length);
function spot(e) {
    if (!e || !e.getClientRects().length) return null;
    const r = e.getBoundingClientRect(), view = e.ownerDocument.defaultView;
    return [view.mozInnerScreenX + r.x + r.width / 2, view.mozInnerScreenY + r.y + r.height / 2].map(Math.round);
}
'''


class Thunderbird:
    """One Thunderbird with one IMAP account, on its own display."""

    def __init__(self, server, home, authority):
        self.home = pathlib.Path(home)
        self.profile = self.home / 'profile'
        self.profile.mkdir(parents=True)
        self.user = server.users[0]
        self._write_profile(server, authority)
        self.display = self.child = self.eye = None
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _write_profile(self, server, authority):
        mine = {'mail.server.server1.port': server.ports['imaps'], 'mail.server.server1.userName': self.user,
                'mail.server.server1.name': self.user, 'mail.identity.id1.useremail': self.user,
                'mail.server.server1.directory-rel': '[ProfD]ImapMail/localhost',
                'mail.server.server2.directory-rel': '[ProfD]Mail/Local Folders',
                'mail.smtpserver.smtp1.port': server.ports['submissions'], 'mail.smtpserver.smtp1.username': self.user}
        lines = [f'user_pref("{name}", {literal(value)});\n' for name, value in {**PREFERENCES, **mine}.items()]
        (self.profile / 'prefs.js').write_text(''.join(lines))
        with nss.Profile(LIBRARY, self.profile) as kept:
            kept.trust(authority.read_text())
            kept.store_passwords([(f'{kind}://localhost', self.user, server.password) for kind in ('imap', 'smtp')])

    def _start(self):
        self.display = programs.start(['Xvfb', '-displayfd', '1', '-screen', '0', f'{WIDTH}x{HEIGHT}x24',
                                       '-nolisten', 'tcp'], 'xvfb')
        log = programs.log_of('xvfb')
        number = programs.until(lambda: USED.search(log.read_text()), 'Xvfb does not start').group(1)
        self.environment = {'DISPLAY': f':{number}', 'HOME': str(self.home), 'MOZ_CRASHREPORTER_DISABLE': '1',
                            'MOZ_LOG': 'IMAP:4,sync', 'MOZ_LOG_FILE': str(self.home / 'imap'), 'LC_ALL': 'C.UTF-8',
                            'GDK_BACKEND': 'x11', 'NO_AT_BRIDGE': '1', 'DBUS_SESSION_BUS_ADDRESS': 'disabled:'}
        self.child = programs.start(['thunderbird', '--profile', self.profile, '--no-remote', '--marionette',
                                     '--remote-allow-system-access'], 'thunderbird', **self.environment)
        port = self.profile / 'MarionetteActivePort'
        programs.until(lambda: port.exists() and port.read_text().strip(), 'Thunderbird does not start')
        self.eye = marionette.Marionette(int(port.read_text()))
        programs.until(lambda: self.rows('folder'), 'Thunderbird shows no folders', marionette.Refused)
        self.eye.ask('WebDriver:SetWindowRect', x=0, y=0, width=WIDTH, height=HEIGHT)

    # The eye.

    def look(self, script, *arguments):
        return self.eye.run(LOOK + script, *arguments)

    def rows(self, kind):
        """What the rows on show say: kind is 'folder' or 'message'."""
        return self.look('return rows(arguments[0]).map(e => e.innerText);', kind)

    def row(self, kind, text):
        """Where on the display the row with this text is; waits for it."""
        script = 'return spot(rows(arguments[0]).find(e => e.innerText.includes(arguments[1])));'
        return programs.until(lambda: self.look(script, kind, text), f'no {kind} "{text}"', marionette.Refused)

    def part(self, window, css):
        """Where on the display that part of a window is: 'mailnews:search' or 'msgcompose'."""
        script = 'return spot(Services.wm.getMostRecentWindow(arguments[0])?.document.querySelector(arguments[1]));'
        return programs.until(lambda: self.look(script, window, css), f'no {css} in {window}', marionette.Refused)

    def message_text(self):
        """The text of the message that is open beside the list."""
        try:
            return self.look('return shown().getMessagePaneBrowser().contentDocument.body.innerText;')
        except marionette.Refused:
            return ''

    # The hand: a pointer and a keyboard, as far as the program can tell.

    def hand(self, *words):
        subprocess.run(['xdotool', *map(str, words)], env={**os.environ, **self.environment}, check=True,
                       stdout=subprocess.DEVNULL, timeout=3 * paths.PATIENCE)

    def click(self, spot):
        self.hand('mousemove', *spot, 'click', 1)

    def drag(self, source, target):
        near = (target[0] + 20, target[1] - 3)
        self.hand('mousemove', *source, 'mousedown', 1, 'mousemove_relative', 8, 0, 'sleep', 0.2,
                  'mousemove_relative', 20, 5, 'sleep', 0.2, 'mousemove', *near, 'sleep', 0.3,
                  'mousemove', *target, 'sleep', 0.5, 'mouseup', 1)

    def keys(self, *names):
        self.hand('key', *names)

    def type(self, text):
        for line in text.splitlines(keepends=True):
            self.hand('type', '--delay', 20, line.rstrip('\n'))
            if line.endswith('\n'):
                self.keys('Return')

    def focus(self, title):
        """Gives a window the keyboard: there is no window manager to do it."""
        self.hand('search', '--sync', '--onlyvisible', '--name', title, 'windowraise', 'windowfocus', '--sync')

    def dialogue(self):
        """What it and the server said to each other by IMAP."""
        return ''.join(f.read_text(errors='replace') for f in sorted(self.home.glob('imap*.moz_log*')))

    def stop(self):
        if self.eye:
            self.eye.close()
        for child in (self.child, self.display):
            if child:
                programs.end(child)


def literal(value):
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else f'"{value}"'

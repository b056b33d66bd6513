"""What bounds Postern in each row of docs/benchmarks.md."""

# As perf, strace and counts of context switches told; looked at again when a row changes.
DELIVERY = {
    '4 KiB, 1 recipient, 1 connection':
        'Latency: one flushed write (the data, then the disk\'s own cache; where the file system has no journal, as here, '
        'the inode too) and eight hand-overs between processes, one after the other.',
    '4 KiB, 1 recipient, 10 connections':
        'CPU, three fifths of it the account\'s, a quarter the edge\'s; the processors are idle for an eighth of the time. '
        'The load goes to 20 accounts, so that nearly every message is a record and a flush of its own (`store/kept.h`): '
        '8 KiB, two requests to the disk (a third for the inode where the file system has no journal, as here) and five '
        'changes of process. Of the account\'s time half is the kernel\'s: that write, and waking. Three tenths are its '
        'store thread\'s, which takes 64 of them into the database by one commit: SQLite, compression, and the log, one '
        'page for each message instead of four.',
    '4 KiB, 1 recipient, 50 connections':
        'As with 10; but rooms find more to do each time they are woken, and some messages share another\'s flush.',
    '4 KiB, 10 recipients, 10 connections':
        'Ten records in ten accounts: all of the account\'s cost is paid for each copy, while dialogue and parsing '
        'are shared.',
    '4 KiB, one message a connection, 10 at once':
        'As with 10 connections; accepting and greeting doubles the edge\'s cost, most of it in the kernel.',
    '4 KiB over STARTTLS, 10 connections':
        'As with 10 connections: ten handshakes, then some 20 microseconds of cipher for each message.',
    '100 KiB, 1 recipient, 10 connections':
        'CPU, two thirds of it the account\'s, two fifths of that in the kernel: the octets go to the log and then to the '
        'database. Files for bodies of this size would write them once, but cost as much again in opening, renaming and '
        'flushing. Sealing is a seventh of all. Then the edge, most of it in the kernel: the octets come in and go into '
        'shared memory.',
    '1 MiB, 1 recipient, 10 connections':
        'CPU, more than half of it the account\'s: over two fifths of that in the kernel, which writes and flushes the '
        'body file before its row is committed, then taking off base64, then sealing. Three tenths are the edge\'s, three '
        'quarters of that in the kernel: receiving, and the pages of the memory that is shared with inspect and the account.',
}

# By samples of perf within each row, at 10,000 messages; where they were few, by CPU time beside the time taken.
IMAP = {
    'LOGIN, the first since the start, 10 at once':
        'CPU: half of it Argon2id on two cores, whose memory lies in huge pages here (`auth/huge_pages.h`), a third '
        'starting a process for each account, much of that the dynamic linker.',
    'SELECT cold':
        'CPU: the list of the messages, a page for some 350, is read, unsealed and unpacked; Dovecot maps its index. '
        'Reading the INBOX\'s begins when the login is answered, so that what the client does before its SELECT is not '
        'waited for: one that lets two milliseconds pass is answered in 0.2.',
    'FETCH envelope and structure of all, cold': 'As warm below, and the first reading of the database\'s pages.',
    'LOGIN again, 10 at once': 'CPU, most of it hand-overs between the edge, auth and the account, shared with the client on the two cores.',
    'LOGIN and SELECT again, 10 at once': 'As LOGIN: SELECT adds a tenth of a millisecond.',
    'SELECT warm':
        'Hand-overs: each command wakes the edge, the account, and the edge again, with three system calls each time. '
        'Without TLS Dovecot gives the connection itself to the process of the mailbox; Postern, which takes logins in '
        'clear in its demo alone, carries these as all others.',
    'SELECT warm, over TLS':
        'As in clear, and the cipher. Here Dovecot carries too, between its process for TLS and that of the mailbox.',
    'FETCH flags of all': 'CPU, in the account: writing the lines; nothing is read from the database.',
    'FETCH envelope and structure of all, warm':
        'CPU: a third is spent unsealing the database\'s pages, a fifth reading them from the file, a fifth in SQLite, the '
        'rest copying and the hand-over.',
    'FETCH bodies of all':
        'CPU of the store thread, which reads ahead of what is sent: unpacking nearly half of it, unsealing '
        'a sixth, SQLite and the kernel an eighth each; beside it the edge, which carries the bytes.',
    'STORE on 1,000':
        'The kernel for half of the time: one flush of half a dozen pages, and the hand-overs between edge and account. '
        'Then the account, which goes through a thousand records and tells its sessions; SQLite and sealing are a sixth.',
    'APPEND 4 KiB, 1 connection': 'CPU for three quarters of the time (SQLite, compression, sealing), then the flush.',
    'APPEND 4 KiB, 10 connections, one mailbox': 'CPU of the one account; the ten share commits and so flushes.',
    'APPEND 4 KiB, 10 connections, ten accounts': 'CPU on two cores: each message is a commit and a flush of its own.',
    'COPY of 1,000': 'CPU in SQLite: each content counts one message more; the records themselves are half a dozen pages.',
    'MOVE of 1,000': 'CPU: records go from list to list, uids are remembered as gone; one flush.',
    'EXPUNGE of 1,000': 'CPU in SQLite: contents go, page by page; one flush.',
    'SEARCH SUBJECT':
        'CPU: the header of each message is read: a quarter of the time is unsealing, nearly a quarter decompression, a '
        'fifth the kernel, which reads the pages, a seventh SQLite.',
    'SEARCH BODY': 'As SEARCH SUBJECT, over the search text that is kept of each message.',
    'POP3: log in, UIDL, download of 2,000':
        'Latency: half of the time is waiting, as each RETR is handed to the account and its store thread; then '
        'decompression.',
    'IDLE: from the 250 to EXISTS': 'Nothing: it mostly arrives before the 250; Dovecot waits half a second on purpose.',
}

STALLS = (
    'A connection that waits is a fiber of the edge and a row of its poll, so Postern goes on as before. Postfix has a '
    'process for each client, a hundred at most by default: the first hundred that stall have them all, until its '
    'time limit under stress (10 s of silence) ends them, and those behind them follow.')

SENDING = (
    'With signatures CPU, a third of it the vault\'s: an RSA-2048 signature takes 0.26 ms. Without them CPU too (1.1 of two '
    'cores) and waits between the rooms: a third is the queue\'s, which commits each message when it comes and when it has '
    'gone; a quarter the edge\'s, then relay and auth.')

IMAP_LARGE = (
    'SELECT cold reads the list of the messages from three hundred pages, which lie together thirty by thirty in a file '
    'of hundreds of MiB: 6 ms of CPU, and where the system has dropped them from its cache some waits for the disk. '
    'Dovecot reads one file.')

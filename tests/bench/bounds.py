"""What bounds Postern in each row of docs/benchmarks.md."""

# As perf, strace and counts of context switches told; looked at again when a row changes.
DELIVERY = {
    '4 KiB, 1 recipient, 1 connection':
        'Latency: one flush (the data, then the disk\'s own cache) and eight hand-overs between processes, one after '
        'the other; while the account\'s log is new, a third wait for the growing file.',
    '4 KiB, 1 recipient, 10 connections':
        'CPU, three quarters of it the account\'s. The load goes to 20 accounts, so that nearly every message is a '
        'commit and a flush of its own: a quarter of the account\'s time is fdatasync, a seventh sealing the nine '
        'pages of a commit, a ninth compression, the rest SQLite, copying and waking.',
    '4 KiB, 1 recipient, 50 connections':
        'As with 10; one message in twenty shares another\'s commit, and the edge takes more from each poll.',
    '4 KiB, 10 recipients, 10 connections':
        'Ten commits in ten accounts: all of the account\'s cost is paid for each copy, while dialogue and parsing '
        'are shared.',
    '4 KiB, one message a connection, 10 at once':
        'As with 10 connections; accepting and greeting doubles the edge\'s cost, most of it in the kernel.',
    '4 KiB over STARTTLS, 10 connections':
        'As with 10 connections: ten handshakes, then some 20 microseconds of cipher for each message.',
    '100 KiB, 1 recipient, 10 connections':
        'The account: sealing (a quarter), compressing text and search text (a tenth), and the bytes to the disk: '
        'log, then database.',
    '1 MiB, 1 recipient, 10 connections':
        'The account again: sealing and compression share over half of its time; body files are written and flushed '
        'before their row.',
}

IMAP = {}

// One person's session with imapflow. Reads what to do from a JSON file, writes what it saw as JSON lines.
'use strict';
const fs = require('fs');
const { ImapFlow } = require('imapflow');

const plan = JSON.parse(fs.readFileSync(process.argv[2]));
const say = (step, value) => console.log(JSON.stringify({ step, value }));

function client(port, secure) {
	return new ImapFlow({
		host: 'localhost', port, secure, doSTARTTLS: secure ? undefined : true, qresync: true, logger: false,
		tls: { ca: fs.readFileSync(plan.ca) }, auth: { user: plan.user, pass: plan.password },
		clientInfo: { name: 'session' }
	});
}

async function collected(stream) {
	const pieces = [];
	for await (const piece of stream) pieces.push(piece);
	return Buffer.concat(pieces);
}

async function folders(c) {
	await c.mailboxCreate(['Ordner', plan.folder]);
	await c.mailboxCreate('to be renamed');
	await c.mailboxRename('to be renamed', 'Пошта');
	await c.mailboxSubscribe('Пошта');
	await c.mailboxCreate('to be deleted');
	await c.mailboxDelete('to be deleted');
	const found = await c.list({ statusQuery: { messages: true } });
	say('folders', found.map(f => [f.path, f.specialUse || '', f.subscribed, f.status ? f.status.messages : null]));
}

async function reads(c) {
	const seen = [];
	for await (const m of c.fetch('1:*', { envelope: true, bodyStructure: true, flags: true, size: true, threadId: true,
		internalDate: true, headers: ['message-id'], source: true }))
		seen.push({ uid: m.uid, subject: m.envelope.subject, from: m.envelope.from[0].name, size: m.size,
			flags: [...m.flags], parts: (m.bodyStructure.childNodes || []).map(p => [p.part, p.type]),
			emailId: m.emailId, source: m.source.toString('base64') });
	say('messages', seen);
	const { meta, content } = await c.download('3', '2');
	say('file', { name: meta.filename, octets: (await collected(content)).toString('base64') });
}

async function searches(c) {
	say('body', await c.search({ body: 'needle' }, { uid: true }));
	say('subject', await c.search({ subject: 'GRÜßE' }, { uid: true }));
	say('either', await c.search({ or: [{ subject: 'second' }, { larger: 50000 }], unseen: true }, { uid: true }));
	say('header', await c.search({ header: { 'Message-ID': 'example.net' } }, { uid: true }));
}

async function changes(c) {
	const before = c.mailbox.highestModseq;
	await c.messageFlagsAdd('1', ['\\Flagged', '$Label1'], { uid: true });
	await c.messageFlagsRemove('1', ['$Label1'], { uid: true });
	const moved = await c.messageMove('2', 'Ordner/' + plan.folder, { uid: true });
	say('moved', [...moved.uidMap]);
	const copied = await c.messageCopy('1', 'Пошта', { uid: true });
	say('copied', [...copied.uidMap]);
	const changed = [];
	for await (const m of c.fetch('1:*', { flags: true }, { changedSince: before })) changed.push(m.uid);
	say('changed', changed);
	await c.messageDelete('3', { uid: true });
	const source = Buffer.from(plan.message, 'base64');
	const appended = await c.append('Drafts', source, ['\\Draft', '\\Seen'], new Date('2026-03-03T10:00:00Z'));
	say('appended', appended.uid);
	say('status', await c.status('INBOX', { messages: true, uidNext: true, unseen: true, highestModseq: false }));
	say('quota', Boolean(await c.getQuota('INBOX')));
}

// Another session changes things while this one idles.
async function idles(c, other) {
	const came = name => new Promise(resolve => c.once(name, resolve));
	const idling = c.idle();
	say('idling', true);
	say('exists', (await came('exists')).count);
	await other.mailboxOpen('INBOX');
	const flags = came('flags');
	await other.messageFlagsAdd('*', ['\\Answered']);
	say('flags', [...(await flags).flags]);
	const gone = came('expunge');
	await other.messageDelete('*');
	await gone;
	say('gone', true);
	await c.noop();
	await idling;
}

async function main() {
	const c = client(plan.imaps, true), other = client(plan.imap, false);
	await c.connect();
	say('enabled', [...c.enabled]);
	await folders(c);
	const lock = await c.getMailboxLock('INBOX');
	await reads(c);
	await searches(c);
	await changes(c);
	await other.connect();
	say('secure', [c.secureConnection, other.secureConnection]);
	await idles(c, other);
	lock.release();
	await other.logout();
	await c.logout();
}

main().catch(problem => { console.error(problem); process.exit(1); });

// Sends with nodemailer what a JSON file says, over each way there is; writes what it saw as JSON lines.
'use strict';
const fs = require('fs');
const nodemailer = require('nodemailer');

const plan = JSON.parse(fs.readFileSync(process.argv[2]));
const say = (step, value) => console.log(JSON.stringify({ step, value }));

function transport(more) {
	return nodemailer.createTransport({ host: 'localhost', tls: { ca: fs.readFileSync(plan.ca) },
		auth: { user: plan.user, pass: plan.password }, ...more });
}

function letter(subject) {
	return { from: { name: 'Größer, J.', address: plan.user }, to: plan.to, cc: `Freundin <${plan.to}>`, subject,
		text: 'written by a program: äöü\n.\n..\nFrom here\n', html: '<p>written by a program: <b>äöü</b></p>',
		attachments: [{ filename: 'straße.bin', path: plan.file }] };
}

async function main() {
	const secure = transport({ port: plan.submissions, secure: true });
	say('verified', await secure.verify());
	say('secure', (await secure.sendMail(letter('by TLS from the start'))).accepted);
	const upgraded = transport({ port: plan.submission, requireTLS: true });
	say('upgraded', (await upgraded.sendMail(letter('by STARTTLS: Дон'))).accepted);
	const pool = transport({ port: plan.submissions, secure: true, pool: true, maxConnections: 2 });
	const sent = Array.from({ length: 10 }, (_, i) => pool.sendMail({ ...letter(`pooled ${i}`), attachments: [] }));
	say('pooled', (await Promise.all(sent)).length);
	pool.close();
	const wrong = transport({ port: plan.submissions, secure: true, auth: { user: plan.user, pass: 'wrong' } });
	say('wrong', await wrong.verify().catch(problem => problem.code));
	const other = { ...letter('as somebody else'), from: plan.to };
	say('other', await secure.sendMail(other).catch(problem => problem.responseCode));
}

main().catch(problem => { console.error(problem); process.exit(1); });

// npm's smtp-server as another domain's server: each message as a line of JSON. Arguments: port.
const {SMTPServer} = require('smtp-server');

const server = new SMTPServer({
	authOptional: true,
	disabledCommands: ['STARTTLS'],
	onData(stream, session, done) {
		const pieces = [];
		stream.on('data', (piece) => pieces.push(piece));
		stream.on('end', () => {
			const {mailFrom, rcptTo} = session.envelope;
			console.log(JSON.stringify({
				from: mailFrom.address,
				to: rcptTo.map((r) => r.address),
				message: Buffer.concat(pieces).toString('base64'),
			}));
			done(null, 'kept');
		});
	},
});
server.on('error', () => {});
server.listen(Number(process.argv[2]), '127.0.0.1');

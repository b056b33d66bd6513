// A plugin for Haraka: takes every recipient, and keeps each message in a file of the folder that KEEP names.
const fs = require('fs');
const path = require('path');

exports.hook_rcpt = (next) => next(OK);

exports.hook_queue = (next, connection) => {
	const {transaction} = connection;
	transaction.message_stream.get_data((octets) => {
		const file = path.join(process.env.KEEP, transaction.uuid);
		fs.writeFileSync(`${file}.part`, octets);
		fs.renameSync(`${file}.part`, `${file}.eml`);
		next(OK);
	});
};

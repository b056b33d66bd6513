// Verifies the DKIM signatures of a message: mailauth.js MESSAGE RECORDS.json
const fs = require('fs');
const { dkimVerify } = require('mailauth/lib/dkim/verify');

const records = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));

async function resolver(name, type) {
    const text = type === 'TXT' && records[name.toLowerCase()];
    if (!text) {
        throw Object.assign(new Error('no such record'), { code: 'ENOTFOUND' });
    }
    return [[text]];
}

dkimVerify(fs.readFileSync(process.argv[2]), { resolver }).then(found => {
    console.log(JSON.stringify(found.results.map(one => ({ selector: one.selector, result: one.status.result }))));
});

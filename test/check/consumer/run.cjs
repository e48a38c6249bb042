const assert = require('node:assert/strict');
const { classify, lookup, ThrottledError } = require('@faultmap/core');
const { evidence } = require('@faultmap/core/adapter');

assert.equal(lookup('DeviceNotOnline').code, 404103);
assert.ok(classify(evidence({ httpStatus: 429 })) instanceof ThrottledError);
for (const name of ['http', 'mqtt', 'amqp', 'emulator', 'cli']) assert.ok(require(`@faultmap/${name}`), name);

import assert from 'node:assert/strict';
import { classify, isDeviceCloudError, lookup } from '@faultmap/core';
import * as azureSdk from '@faultmap/core/azure-sdk';
import { attachHttp } from '@faultmap/http';
import axios from 'axios';

assert.equal(lookup(404103).reason, 'DeviceNotOnline');
assert.ok(isDeviceCloudError(classify(new Error('x'))));
assert.ok(Object.keys(azureSdk).length > 0);
attachHttp(axios.create()).detach();
for (const name of ['mqtt', 'amqp', 'emulator', 'cli'])
  assert.ok(Object.keys(await import(`@faultmap/${name}`)).length > 0, name);

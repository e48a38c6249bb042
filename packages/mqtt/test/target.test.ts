import { attachMqtt } from '@faultmap/mqtt';
import type { MqttClient } from 'mqtt';
import { expect, test } from 'vitest';

test.each([undefined, null, {}, 5])('what is no client of mqtt.js is said: %o', (target) => {
  expect(() => attachMqtt(target as unknown as MqttClient)).toThrow(/^attachMqtt: .*a client of mqtt\.js/);
});

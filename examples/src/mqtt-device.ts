// A device reads its twin over MQTT, and hears of every fault the library swallows.
import { isDeviceCloudError } from '@faultmap/core';
import { attachMqtt } from '@faultmap/mqtt';
import mqtt from 'mqtt';

const client = mqtt.connect(process.env.MQTT_URL ?? 'mqtts://my-hub.azure-devices.net', {
  clientId: 'pump-7',
  username: `${process.env.HUB_NAME}/pump-7/?api-version=2021-04-12`,
  password: process.env.DEVICE_SAS ?? '',
});
const handle = attachMqtt(client, {
  reconnect: { baseDelayMs: 1_000, onPermanentFault: 'stop' },
  // Asked before a reconnect that needs a fresh token.
  credentials: () => ({ password: process.env.DEVICE_SAS }),
});
handle.on('fault', ({ error }) => console.log('fault', error.message));
handle.on('give-up', ({ error }) => console.log('gave up', error.category, error.fix));

try {
  const { payload } = await handle.request('$iothub/twin/GET/');
  console.log('twin', Object.keys(payload as object).join(' '));
} catch (error) {
  if (!isDeviceCloudError(error)) throw error;
  console.log('no twin:', error.category, error.reason, error.httpStatus, 'executed:', error.executed);
} finally {
  handle.detach();
  client.end(true);
}

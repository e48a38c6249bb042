import type { AnyDeviceCloudError } from '@faultmap/core';
import { mqttDevice } from './clients.ts';
import { observe, rawHttp, type Scene } from './stage.ts';

const TWIN_GET = '$iothub/twin/GET/';
const TWIN_PATCH = '$iothub/twin/PATCH/properties/reported/';

/** The rows shown over MQTT, and a direct method that ends in silence at a device there. */
export const MQTT_SCENES: readonly Scene[] = [
  {
    key: '400004',
    async play({ cloud }) {
      const device = await mqttDevice(cloud, 'pump-7');
      const outcome = await observe(device.handle, mqtt, () => device.handle.request(TWIN_PATCH, '{ not json'));
      device.close();
      return outcome;
    },
  },
  {
    key: '500xxx',
    async play({ cloud }) {
      cloud.inject({ transport: 'mqtt', match: { operation: 'twin-get' }, fault: 500001, times: 2 });
      const device = await mqttDevice(cloud, 'pump-7');
      const outcome = await observe(device.handle, mqtt, () => device.handle.request(TWIN_GET));
      device.close();
      return outcome;
    },
  },
  {
    key: '504101',
    async play({ cloud, service }) {
      const device = await mqttDevice(cloud, 'pump-7');
      await device.client.subscribeAsync('$iothub/methods/POST/#'); // and never answers
      const call = { methodName: 'reboot', payload: null, responseTimeoutInSeconds: 1 };
      const outcome = await observe(service.faults, { transport: 'HTTP', raw: rawHttp }, () =>
        service.client.post('/twins/pump-7/methods', call),
      );
      device.close();
      return outcome;
    },
  },
];

const mqtt = { transport: 'MQTT', raw: rawMqtt };

/** A message on a topic: mqtt.js sees no error at all. */
function rawMqtt({ httpStatus = 0 }: AnyDeviceCloudError): string {
  return `$iothub/twin/res/${httpStatus}/ (no error at all)`;
}

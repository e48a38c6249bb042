// A program as it is written for Azure: connection strings, default options, nothing of an
// emulator. Prints one line of JSON with what went through.
import { EventHubConsumerClient, earliestEventPosition } from '@azure/event-hubs';
import common from 'azure-iot-common';
import device from 'azure-iot-device';
import deviceAmqp from 'azure-iot-device-amqp';
import deviceHttp from 'azure-iot-device-http';
import deviceMqtt from 'azure-iot-device-mqtt';
import provisioning from 'azure-iot-provisioning-device';
import provisioningAmqp from 'azure-iot-provisioning-device-amqp';
import provisioningHttp from 'azure-iot-provisioning-device-http';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import symmetricKey from 'azure-iot-security-symmetric-key';
import iothub from 'azure-iothub';

const { DEVICE, SERVICE, EVENTS, DPS_HOST, REGISTRATIONS, REGISTRATION_KEY } = process.env;
const done = [];

const transports = {
  mqtt: deviceMqtt.Mqtt,
  'mqtt-ws': deviceMqtt.MqttWs,
  amqp: deviceAmqp.Amqp,
  'amqp-ws': deviceAmqp.AmqpWs,
  http: deviceHttp.Http,
};
for (const [name, transport] of Object.entries(transports)) {
  const client = device.Client.fromConnectionString(DEVICE, transport);
  await client.open();
  await client.sendEvent(new device.Message(name));
  await client.close();
  done.push(`device ${name}`);
}

const { DeviceId: deviceId } = device.ConnectionString.parse(DEVICE);
const registry = iothub.Registry.fromConnectionString(SERVICE);
await registry.get(deviceId);
done.push('registry');

const reader = new EventHubConsumerClient('$Default', EVENTS);
const read = await new Promise((resolve, reject) => {
  reader.subscribe(
    '0',
    { processEvents: async (events) => events.length > 0 && resolve(events[0]), processError: async (e) => reject(e) },
    { startPosition: earliestEventPosition },
  );
});
await reader.close();
if (read.systemProperties['iothub-connection-device-id'] === deviceId) done.push('events');

for (const [name, transport] of Object.entries({ amqp: iothub.Amqp, 'amqp-ws': iothub.AmqpWs })) {
  const service = iothub.Client.fromConnectionString(SERVICE, transport);
  await service.send(deviceId, new common.Message(name));
  await service.close();
  done.push(`service ${name}`);
}

const ways = {
  mqtt: provisioningMqtt.Mqtt,
  'mqtt-ws': provisioningMqtt.MqttWs,
  amqp: provisioningAmqp.Amqp,
  'amqp-ws': provisioningAmqp.AmqpWs,
  http: provisioningHttp.Http,
};
const register = (registration, transport) => {
  const security = new symmetricKey.SymmetricKeySecurityClient(registration, REGISTRATION_KEY);
  return provisioning.ProvisioningDeviceClient.create(DPS_HOST, '0ne00000001', transport, security).register();
};
const registrations = REGISTRATIONS.split(',');
await Promise.all(Object.values(ways).map((Way, at) => register(registrations[at], new Way())));
done.push(...Object.keys(ways).map((name) => `provisioning ${name}`));

console.log(JSON.stringify(done));

// A device sends telemetry over AMQP and knows what became of each message.
import { attachAmqp } from '@faultmap/amqp';
import { isDeviceCloudError } from '@faultmap/core';
import rhea, { type ConnectionOptions } from 'rhea';

const { hostname, port } = new URL(process.env.AMQP_URL ?? 'amqps://my-hub.azure-devices.net:5671');
const connection = rhea.create_container().connect({ host: hostname, port: Number(port) } as ConnectionOptions);
const handle = attachAmqp(connection, {
  // rhea alone ends the process at an error that nobody listens to.
  keepAlive: true,
  // Asked when the hub refuses for want of a token, and before every reconnect: sign a fresh one here.
  credentials: () => ({
    cbs: { name: `${process.env.HUB_NAME}/devices/pump-7`, token: process.env.DEVICE_SAS ?? '' },
  }),
});
handle.on('fault', ({ error }) => console.log('fault', error.message));

try {
  const sender = connection.open_sender('/devices/pump-7/messages/events');
  for (const body of ['21 °C', '22 °C']) {
    await handle.send(sender, { message_id: body, body }, { idempotent: true });
    console.log('accepted', body);
  }
} catch (error) {
  if (!isDeviceCloudError(error)) throw error;
  console.log('not sent:', error.category, error.reason, error.condition, 'executed:', error.executed);
} finally {
  connection.set_reconnect(false);
  handle.detach();
  connection.close();
}

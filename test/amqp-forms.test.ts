import { classify, lookup } from '@faultmap/core';
import { readAmqpError } from '@faultmap/core/adapter';
import { startEmulator } from '@faultmap/emulator';
import rhea, { type EventContext, type Sender } from 'rhea';
import { expect, it } from 'vitest';

/** Every code of IoT Hub and of the provisioning service that the catalogues know. */
const CODES = Array.from({ length: 200_000 }, (_, i) => 400_000 + i).filter((code) => lookup(code)?.kind === 'code');

it('every code, rejected over AMQP in the form of the cloud, is classified as that code', async () => {
  const emulator = await startEmulator({ auth: 'none', throttle: false, transports: ['amqp'] });
  const { hostname, port } = new URL(emulator.amqpUrl);
  const connection = rhea.create_container().connect({ host: hostname, port: Number(port), reconnect: false });
  const sender = connection.open_sender('/devices/device1/messages/events');
  await new Promise((resolve) => sender.once('sendable', resolve));
  const wrong: string[] = [];
  for (const code of CODES) {
    // These two close the connection: that is how the cloud shows them.
    if (code === 400027 || code === 401001 || code === 404104) continue;
    emulator.inject({ transport: 'amqp', match: { operation: 'd2c' }, fault: code });
    const error = await rejection(sender);
    // rhea's fields are accessors of a prototype: nothing that can be spread.
    const { condition, description, info } = error;
    const seen = classify(
      readAmqpError({ condition, description, info, scope: 'delivery', direction: 'send', outcome: 'rejected' }),
    );
    if (seen.code !== code && !seen.candidates?.includes(code))
      wrong.push(`${code}: ${seen.category} ${seen.code} ${seen.candidates}`);
  }
  connection.close();
  await emulator.stop();
  expect(CODES.length).toBeGreaterThan(150);
  expect(wrong).toEqual([]);
});

interface AmqpError {
  readonly condition: string;
  readonly description: string;
  readonly info: object;
}

function rejection(sender: Sender): Promise<AmqpError> {
  return new Promise((resolve) => {
    sender.once('rejected', ({ delivery }: EventContext) => {
      const { error } = (delivery?.remote_state ?? {}) as unknown as { error: AmqpError };
      resolve(error);
    });
    sender.send({ body: 'x' });
  });
}

import { setTimeout as wait } from 'node:timers/promises';
import type { AnyDeviceCloudError, FaultEvent } from '@faultmap/core';
import type { Delivery, EventContext } from 'rhea';
import { type AttachedAmqp, amqpDevice, amqpService } from './clients.ts';
import { observe, type Scene } from './stage.ts';
import type { Outcome } from './table.ts';

const C2D = '/devices/fan-1/messages/devicebound';

/** The rows seen over AMQP, three of which have no HTTP status at all: by what a cloud does. */
export const AMQP_SCENES: readonly Scene[] = [
  {
    key: '400027',
    async play({ cloud }) {
      const first = await amqpDevice(cloud, 'valve-3');
      const fault = next(first, 'fault');
      const held = next(first, 'give-up');
      first.connection.open_sender('/devices/valve-3/messages/events');
      const second = await amqpDevice(cloud, 'valve-3');
      second.connection.open_sender('/devices/valve-3/messages/events');
      const { error } = await fault;
      const { nextProbeAt } = await held;
      const seconds = Math.round((Number(nextProbeAt) - Date.now()) / 1000);
      first.close();
      second.close();
      return told(error, 'held', `reconnect held for ${seconds} s`);
    },
  },
  {
    key: '403002',
    async play({ smallCloud }) {
      const device = await amqpDevice(smallCloud, 'pump-7');
      const sender = device.connection.open_sender('/devices/pump-7/messages/events');
      const outcome = await observe(device.handle, amqp, async () => {
        for (let n = 1; n <= 2; n++) await device.handle.send(sender, { body: 'on' });
      });
      device.close();
      return outcome;
    },
  },
  {
    key: '403004',
    async play({ cloud }) {
      const service = await amqpService(cloud);
      const sender = service.connection.open_sender('/messages/devicebound');
      const outcome = await observe(service.handle, amqp, async () => {
        for (let n = 1; n <= 51; n++) {
          await service.handle.send(sender, { to: '/devices/pump-7/messages/devicebound', body: 'go' });
        }
      });
      service.close();
      return outcome;
    },
  },
  {
    key: '409002',
    async play({ cloud }) {
      const device = await amqpDevice(cloud, 'fan-1');
      const fault = next(device, 'fault');
      device.connection.open_receiver({ name: 'one', source: C2D });
      device.connection.open_receiver({ name: 'two', source: C2D });
      const { error } = await fault;
      device.close();
      return told(error, 'reported', 'reported, link not taken back');
    },
  },
  {
    key: '412002',
    async play({ cloud, service }) {
      const device = await amqpDevice(cloud, 'fan-1');
      await service.client.post('/devices/fan-1/messages/devicebound', 'go');
      const delivery = await receiveOne(device);
      const outcome = await observe(device.handle, amqp, async () => {
        // Longer than the lock of 200 ms.
        await wait(400);
        await device.handle.settle(delivery, 'accepted');
      });
      device.close();
      return outcome;
    },
  },
];

const amqp = { transport: 'AMQP', raw: rawAmqp };

/** `amqp:resource-limit-exceeded: "…"`: the record as rhea holds it. */
function rawAmqp({ condition = 'nothing', detail = '' }: AnyDeviceCloudError): string {
  return detail ? `${condition}: ${detail}` : condition;
}

function told(error: AnyDeviceCloudError, did: Outcome['did'], said: string): Outcome {
  return { transport: 'AMQP', raw: rawAmqp(error), error, did, said };
}

function next({ handle }: AttachedAmqp, name: 'fault' | 'give-up'): Promise<FaultEvent> {
  return new Promise((resolve) => {
    handle.on(name, resolve);
  });
}

function receiveOne({ connection }: AttachedAmqp): Promise<Delivery> {
  return new Promise((resolve) => {
    const receiver = connection.open_receiver({ source: C2D, autoaccept: false, credit_window: 1, rcv_settle_mode: 1 });
    receiver.once('message', ({ delivery }: EventContext) => {
      if (delivery) resolve(delivery);
    });
  });
}

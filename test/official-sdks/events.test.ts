import {
  EventHubConsumerClient,
  type EventPosition,
  earliestEventPosition,
  type ReceivedEventData,
} from '@azure/event-hubs';
import device from 'azure-iot-device';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Lab, startLab } from './lab.ts';

let lab: Lab;
const readers: EventHubConsumerClient[] = [];

beforeAll(async () => {
  lab = await startLab({ devices: ['device1'] });
  const client = await lab.open('mqtt', 'device1');
  for (const id of ['e0', 'e1', 'e2']) {
    const message = new device.Message(JSON.stringify({ id }));
    message.messageId = id;
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    message.properties.add('colour', 'red');
    await client.sendEvent(message);
  }
});

afterEach(async () => {
  await Promise.all(readers.splice(0).map((reader) => reader.close()));
});

afterAll(() => lab.stop());

function reader(consumerGroup = '$Default'): EventHubConsumerClient {
  const made = new EventHubConsumerClient(consumerGroup, lab.emulator.eventHubConnectionString);
  readers.push(made);
  return made;
}

/** What is read from a position on, as it comes. */
function read(startPosition: EventPosition, from = reader(), partition = '0') {
  const events: ReceivedEventData[] = [];
  const errors: Error[] = [];
  from.subscribe(
    partition,
    {
      processEvents: async (some) => void events.push(...some),
      processError: async (error) => void errors.push(error as Error),
    },
    { startPosition, maxWaitTimeInSeconds: 1 },
  );
  return { ids: () => events.map(({ messageId }) => messageId), events, errors };
}

describe('@azure/event-hubs', () => {
  it('tells the hub and its partition', async () => {
    const properties = await reader().getEventHubProperties();
    expect(properties).toMatchObject({ name: 'iothub-ehub-lab-hub', partitionIds: ['0'] });
    expect(await reader().getPartitionProperties('0')).toMatchObject({
      beginningSequenceNumber: 0,
      lastEnqueuedSequenceNumber: 2,
      lastEnqueuedOffset: '2',
      isEmpty: false,
    });
  });

  it('reads what a device sent, with its properties and those of the hub', async () => {
    const { events } = read(earliestEventPosition);
    await eventually(() => events).toHaveLength(3);
    expect(events[0]).toMatchObject({
      body: { id: 'e0' },
      messageId: 'e0',
      contentType: 'application/json',
      properties: { colour: 'red' },
      sequenceNumber: 0,
      systemProperties: { 'iothub-connection-device-id': 'device1', 'iothub-message-source': 'Telemetry' },
    });
  });

  it.each<[EventPosition, string[]]>([
    [{ offset: '0' }, ['e1', 'e2']],
    [{ offset: '1', isInclusive: true }, ['e1', 'e2']],
    [{ sequenceNumber: 1 }, ['e2']],
    [{ sequenceNumber: 2, isInclusive: true }, ['e2']],
    [{ enqueuedOn: new Date(0) }, ['e0', 'e1', 'e2']],
  ])('begins at %j', async (position, ids) => {
    const seen = read(position);
    await eventually(seen.ids).toEqual(ids);
  });

  it('every consumer group reads all of it, at its own pace, and goes on with what comes', async () => {
    const [one, other] = [read(earliestEventPosition), read({ offset: '1' }, reader('analytics'))];
    await eventually(one.ids).toEqual(['e0', 'e1', 'e2']);
    await eventually(other.ids).toEqual(['e2']);
    lab.emulator.state.sendEvent({ deviceId: 'device1' }, { messageId: 'e3', body: Buffer.from('{}') }, 'http');
    await eventually(one.ids).toEqual(['e0', 'e1', 'e2', 'e3']);
    await eventually(other.ids).toEqual(['e2', 'e3']);
  });

  it('is told that there is no such partition', async () => {
    const { errors } = read(earliestEventPosition, reader(), '1');
    await eventually(() => errors.length).toBeGreaterThan(0);
    expect(errors[0]).toMatchObject({ code: 'ArgumentError', message: expect.stringContaining('no partition 1') });
  });
});

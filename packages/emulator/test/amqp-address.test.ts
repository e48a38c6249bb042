import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/amqp/address.ts';

describe('addresses of links', () => {
  it.each([
    ['$cbs', { kind: 'cbs' }],
    ['$management', { kind: 'management' }],
    ['/devices/d/messages/events', { kind: 'telemetry', deviceId: 'd' }],
    ['/devices/d/modules/m/messages/events', { kind: 'telemetry', deviceId: 'd', moduleId: 'm' }],
    ['/devices/d/messages/devicebound', { kind: 'devicebound', deviceId: 'd' }],
    ['/devices/d/messages/deviceBound', { kind: 'devicebound', deviceId: 'd' }],
    ['/devices/d/twin', { kind: 'twin', deviceId: 'd' }],
    ['/devices/d/modules/m/twin', { kind: 'twin', deviceId: 'd', moduleId: 'm' }],
    ['/devices/d/methods/devicebound', { kind: 'methods', deviceId: 'd' }],
    ['amqps://hub.azure-devices.net/devices/d%20e/twin', { kind: 'twin', deviceId: 'd e' }],
    ['/devices/100%/twin', { kind: 'twin', deviceId: '100%' }],
    ['/messages/devicebound', { kind: 'service-send' }],
    ['/messages/serviceBound/feedback', { kind: 'feedback' }],
    ['/messages/serviceBound/filenotifications', { kind: 'file-notifications' }],
    ['/messages/events', { kind: 'events-endpoint', rest: '' }],
    [
      '/messages/events/ConsumerGroups/$Default/Partitions/0',
      { kind: 'events-endpoint', rest: '/ConsumerGroups/$Default/Partitions/0' },
    ],
    ['hub/ConsumerGroups/$Default/Partitions/0', { kind: 'events-stream', consumerGroup: '$Default', partition: 0 }],
    ['/nonsense', { kind: 'unknown' }],
    ['/devices/d', { kind: 'unknown' }],
    ['', { kind: 'unknown' }],
    [undefined, { kind: 'unknown' }],
  ] as const)('%s', (address, place) => {
    expect(parseAddress(address)).toEqual(place);
  });
});

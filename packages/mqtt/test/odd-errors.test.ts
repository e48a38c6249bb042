/* What a stream of somebody else's making may raise as its error. */
import { expect, test } from 'vitest';
import { connected, staged, until } from './support/stage.ts';

test.each([
  ['a text', 'the tunnel is closed', 'the tunnel is closed'],
  ['a number', 7, undefined],
  ['an object without a message', { code: 'ETUNNEL' }, undefined],
  ['an object with an odd one', { message: 5 }, undefined],
])('%s is one fault, and the end of the connection another at most', (_, raised, detail) =>
  staged({ attach: { reconnect: { baseDelayMs: 1, maxDelayMs: 5, stableAfterMs: 0 } } }, async (stage) => {
    await connected(stage);
    const warnings: Error[] = [];
    const heard = (warning: Error) => warnings.push(warning);
    process.on('warning', heard);
    stage.client.stream.emit('error', raised);
    stage.client.stream.destroy();
    await until(() => stage.peer.links.length === 2 && stage.client.connected, 'it is back');
    process.off('warning', heard);
    expect(warnings.filter(({ name }) => name === 'FaultmapWarning')).toEqual([]);
    const [first] = stage.of('fault');
    expect(first?.error).toMatchObject({ operation: 'mqtt.connection' });
    if (detail !== undefined) expect(first?.error.detail).toBe(detail);
    expect(stage.of('fault').length).toBeLessThanOrEqual(2);
  }),
);

import diagnostics from 'node:diagnostics_channel';
import { retry } from '@faultmap/core';
import { FaultEvents } from '@faultmap/core/adapter';
import { expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { notFound, throttled } from '../support/faults.ts';

test('every listener is told, also after one that threw, and the host goes on', async () => {
  const events = new FaultEvents();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const told: unknown[] = [];
  events.on('fault', () => {
    throw new TypeError('mine');
  });
  events.on('fault', ({ error }) => told.push(error));
  const error = notFound();
  events.emit('fault', { error });
  await settle();
  process.off('warning', onWarning);
  expect(told).toEqual([error]);
  expect(warnings).toMatchObject([{ name: 'FaultmapWarning', code: 'FAULTMAP_LISTENER' }]);
});

test('a listener taken off is told no more', () => {
  const events = new FaultEvents();
  let told = 0;
  const listener = () => told++;
  events.on('retry', listener);
  events.off('retry', listener);
  events.emit('retry', { error: notFound() });
  expect(told).toBe(0);
});

test('an event that does not exist is a mistake, not silence', () => {
  const on = () => new FaultEvents().on('giveup' as 'give-up', () => {});
  expect(on).toThrow(TypeError);
  expect(on).toThrow(/give-up/);
});

test('a listener that is no function is said at once', () => {
  const on = (listener: unknown) => () => new FaultEvents().on('fault', listener as () => void);
  expect(on(undefined)).toThrow(new TypeError('on: option listener: expected a function, got undefined'));
  expect(on('log')).toThrow('on: option listener: expected a function, got "log"');
});

test('operations without an attachment are on the diagnostics channels', async () => {
  const names = ['fault', 'retry', 'give-up', 'recovered'].map((name) => `faultmap:${name}`);
  const seen: string[] = [];
  const listeners = names.map((name) => {
    const listener = (message: unknown) => seen.push(`${name} ${(message as { operation: string }).operation}`);
    diagnostics.subscribe(name, listener);
    return () => diagnostics.unsubscribe(name, listener);
  });
  await retry(() => Promise.reject(notFound()), { operation: 'twin.get' }).catch(() => {});
  for (const off of listeners) off();
  expect(seen).toEqual(['faultmap:fault twin.get', 'faultmap:give-up twin.get']);
});

test('no secret in the name of an operation is told', async () => {
  const operation = 'upload to https://acct.blob.core.windows.net/c?sv=1&sig=aHVudGVyMg%3D%3D';
  const seen: unknown[] = [];
  const listener = (message: unknown) => seen.push(message);
  const names = ['faultmap:fault', 'faultmap:retry', 'faultmap:recovered'];
  for (const name of names) diagnostics.subscribe(name, listener);
  const events = new FaultEvents();
  for (const name of ['fault', 'give-up'] as const) events.on(name, listener);
  let calls = 0;
  await retry(() => (calls++ === 0 ? Promise.reject(throttled()) : Promise.resolve()), {
    operation,
    throttledBaseDelayMs: 1,
    throttledMaxDelayMs: 1,
  });
  events.emit('fault', { error: notFound(), operation });
  events.emit('give-up', { error: notFound(), operation });
  for (const name of names) diagnostics.unsubscribe(name, listener);
  expect(seen).toHaveLength(6);
  for (const message of seen) {
    expect(JSON.stringify(message)).not.toContain('aHVudGVyMg');
    expect(message).toMatchObject({
      operation: expect.stringContaining('upload to https://acct.blob.core.windows.net/c'),
    });
  }
});

import { describe, expect, test, vi } from 'vitest';
import { dps, staged } from './support/requests.ts';
import { rejection } from './support/stage.ts';

// They wait far more than they work.
vi.setConfig({ maxConcurrency: 16 });

describe.concurrent('registration with DPS', () => {
  const PUT = '$dps/registrations/PUT/iotdps-register/';
  const assigning = { status: 202, body: { operationId: 'op/1', status: 'assigning' }, query: '&retry-after=1' };
  const assigned = {
    status: 200,
    body: { operationId: 'op/1', status: 'assigned', registrationState: { assignedHub: 'hub.example', deviceId: 'd' } },
  };

  test('is polled as often as the service asks, until it is assigned', () =>
    staged(
      { peer: { script: dps(assigning, { ...assigning, query: '&Retry-After=1' }, assigned) } },
      async ({ handle, peer }) => {
        const answer = await handle.request<{ registrationState: object }>(PUT, { registrationId: 'd' });
        expect(answer.payload.registrationState).toEqual({ assignedHub: 'hub.example', deviceId: 'd' });
        expect(peer.links[0]?.of('publish').map(({ topic }) => topic.replace(/rid=[^&]+/, 'rid=R'))).toEqual([
          '$dps/registrations/PUT/iotdps-register/?$rid=R',
          '$dps/registrations/GET/iotdps-get-operationstatus/?$rid=R&operationId=op%2F1',
          '$dps/registrations/GET/iotdps-get-operationstatus/?$rid=R&operationId=op%2F1',
        ]);
      },
    ));

  test('that failed is a fault, though the status says 200', () =>
    staged(
      {
        peer: {
          script: dps({
            status: 200,
            body: {
              status: 'failed',
              registrationState: { status: 'failed', errorCode: 400209, errorMessage: 'Custom allocation failed' },
            },
          }),
        },
      },
      async ({ handle }) => {
        expect(await rejection(handle.request(PUT, {}))).toMatchObject({
          code: 400209,
          detail: 'Custom allocation failed',
        });
      },
    ));

  test('is asked for again when the service is throttled, also while polling', () =>
    staged(
      { peer: { script: dps({ status: 429, query: '&retry-after=1' }, assigning, { status: 503 }, assigned) } },
      async ({ handle, of }) => {
        expect(await handle.request(PUT, {})).toMatchObject({ status: 200 });
        expect(of('fault').map(({ error }) => error.category)).toEqual(['throttled', 'server']);
      },
    ));

  test('refused says why', () =>
    staged(
      {
        peer: {
          script: dps({ status: 401, body: { errorCode: 401002, message: 'Invalid certificate', trackingId: 'x' } }),
        },
      },
      async ({ handle }) => {
        expect(await rejection(handle.request(PUT, {}))).toMatchObject({
          category: 'unauthorized',
          code: 401002,
          stopped: 'not-transient',
        });
      },
    ));

  test('that goes on assigning ends at its deadline', () =>
    staged({ peer: { script: dps(assigning) } }, async ({ handle, of }) => {
      expect(await rejection(handle.request(PUT, {}, { retry: { deadlineMs: 1_500 } }))).toMatchObject({
        category: 'timeout',
        stopped: 'deadline',
      });
      expect(of('give-up')).toHaveLength(1);
    }));

  test('that goes on assigning ends at once when aborted', () =>
    staged({ peer: { script: dps(assigning) } }, async ({ handle }) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort('stop'), 50);
      expect(await rejection(handle.request(PUT, {}, { signal: controller.signal }))).toBe('stop');
    }));

  test('without an operation id to poll is a violation', () =>
    staged({ peer: { script: dps({ status: 202, body: { status: 'assigning' } }) } }, async ({ handle }) => {
      expect(await rejection(handle.request(PUT, {}))).toMatchObject({ category: 'protocol' });
    }));
});

import { classify, fromJSON, retry } from '@faultmap/core';
import { conclude, evidence, makeError } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

describe('what an error says to a person', () => {
  test('every error has a summary and a fix, also one without a code', () => {
    const bare = makeError('network', { reason: 'ECONNREFUSED', advice: 'backoff' });
    expect(bare.summary).toBe('Nothing listens at the address and port; nothing was sent.');
    expect(makeError('protocol', { reason: 'Whatever', advice: 'never' }).fix).toMatch(/^Check that address/);
    expect(classify(evidence({ httpStatus: 418 })).fix).toMatch(/\.$/);
  });

  test('a fault that can stand for one code only is explained as that one, without its number', () => {
    const error = classify(evidence({ transport: 'amqp', condition: 'amqp:link:message-size-exceeded' }));
    expect(error.code).toBeUndefined();
    expect(error.candidates).toEqual([413001]);
    expect(error.summary).toContain('256 KB');
  });

  test('what was not repeated for fear of running twice names the option in its fix', async () => {
    const failing = () => Promise.reject(classify({ status: 503, headers: {}, body: '' }));
    const error = await retry(failing).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ stopped: 'not-idempotent', fix: expect.stringContaining('`idempotent: true`') });
  });

  test('what would have been repeated says that retries are off', () => {
    const off = (status: number) => conclude(classify({ status, headers: {}, body: '' }), { stopped: 'disabled' }).fix;
    expect(off(503)).toContain('`retry: false`');
    expect(off(404)).not.toContain('`retry: false`');
  });

  test('the note about stopping survives JSON and is not said twice', () => {
    const error = conclude(classify({ status: 503, headers: {}, body: '' }), { stopped: 'deadline' });
    const again = fromJSON(JSON.stringify(error));
    expect(again.fix).toBe(error.fix);
    expect(again.fix?.split('`deadlineMs`')).toHaveLength(2);
  });
});

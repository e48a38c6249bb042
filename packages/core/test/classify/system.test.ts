import { connect } from 'node:net';
import { classify } from '@faultmap/core';
import { isCancellation, isForeign, readSystemError } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

const failed = (code: string, more: object = {}) => Object.assign(new Error(`x ${code}`), { code, ...more });

describe('a fault of the system', () => {
  test('really refused: nothing was sent', async () => {
    const error = await new Promise((resolve) => connect({ port: 1, host: '127.0.0.1' }).on('error', resolve));
    expect(classify(error)).toMatchObject({
      category: 'network',
      reason: 'ECONNREFUSED',
      executed: 'no',
      transient: true,
    });
  });

  test('of DNS, really', async () => {
    const error = await fetch('http://no-such-host.invalid/').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    const typed = classify(error);
    expect(typed.category).toBe('network');
    expect(typed.executed).toBe('no');
    expect(isForeign(error)).toBe(false);
  });

  test.each([
    ['ECONNRESET', 'network', 'backoff', 'unknown'],
    ['EPIPE', 'network', 'backoff', 'unknown'],
    ['ETIMEDOUT', 'timeout', 'backoff', 'unknown'],
    ['CERT_HAS_EXPIRED', 'network', 'never', 'no'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'network', 'never', 'no'],
    ['HPE_INVALID_CONSTANT', 'protocol', 'never', 'unknown'],
  ])('%s is %s, %s, executed: %s', (code, category, advice, executed) => {
    expect(classify(failed(code))).toMatchObject({ category, advice, executed, reason: code });
  });

  test('a host that the program did not give is not looked for again', () => {
    expect(classify(new Error('getaddrinfo ENOTFOUND undefined'))).toMatchObject({ transient: false, advice: 'never' });
    expect(classify(new Error('getaddrinfo ENOTFOUND undefined.example'))).toMatchObject({ transient: true });
  });

  test('while connecting was sent nothing, whatever the code', () => {
    expect(classify(failed('ETIMEDOUT', { syscall: 'connect' }))).toMatchObject({ executed: 'no' });
    expect(classify('Error: connect ETIMEDOUT 192.0.2.4:8883')).toMatchObject({ executed: 'no', reason: 'ETIMEDOUT' });
    expect(classify('Error: read ETIMEDOUT')).toMatchObject({ executed: 'unknown', reason: 'ETIMEDOUT' });
  });

  test('of two addresses (Happy Eyeballs): an AggregateError without a message of its own', () => {
    const members = [
      failed('ECONNREFUSED', { syscall: 'connect', address: '::1' }),
      failed('ECONNREFUSED', { syscall: 'connect', address: '127.0.0.1' }),
    ];
    const outer = Object.assign(new AggregateError(members, ''), { code: 'ECONNREFUSED' });
    expect(classify(outer)).toMatchObject({ category: 'network', reason: 'ECONNREFUSED', detail: 'x ECONNREFUSED' });
    expect(classify(new AggregateError(members, ''))).toMatchObject({ reason: 'ECONNREFUSED', executed: 'no' });
  });

  test('of members that have no code, by their words', () => {
    expect(
      classify(new AggregateError([new Error('x'), new Error('Connection refused: Not authorized')], '')),
    ).toMatchObject({
      category: 'unauthorized',
    });
  });

  test('an aborted connection is a time-out where its words say so', () => {
    const aborted = (message: string) => classify(Object.assign(new Error(message), { code: 'ECONNABORTED' }));
    expect(aborted('timeout of 10ms exceeded')).toMatchObject({ category: 'timeout', reason: 'RequestTimeout' });
    expect(aborted('write ECONNABORTED')).toMatchObject({ category: 'network', reason: 'ECONNABORTED' });
  });

  test('behind wrappers, in a loop of causes', () => {
    const inner = failed('ECONNRESET', { syscall: 'read' });
    const middle = new Error('request failed', { cause: inner });
    inner.cause = middle;
    expect(classify(new Error('outer', { cause: middle }))).toMatchObject({
      category: 'network',
      reason: 'ECONNRESET',
    });
  });

  test('codes of libraries are none', () => {
    expect(readSystemError(failed('ERR_BAD_RESPONSE'))).toBeUndefined();
    expect(readSystemError(Object.assign(new Error('x'), { code: 5 }))).toBeUndefined();
  });
});

describe('what is none of our business', () => {
  test('a mistake in the program is unknown, and foreign', () => {
    for (const mistake of [
      new TypeError('unauthorized is not a function'),
      new RangeError('timed out'),
      new SyntaxError('x'),
    ]) {
      expect(classify(mistake)).toMatchObject({ category: 'unknown', detail: undefined });
      expect(isForeign(mistake)).toBe(true);
    }
  });

  test('a mistake that evidence hangs on is not', () => {
    expect(isForeign(new TypeError('fetch failed', { cause: failed('ECONNRESET') }))).toBe(false);
    expect(isForeign(new TypeError('terminated', { cause: failed('UND_ERR_SOCKET') }))).toBe(false);
  });

  test('a cancellation by the caller is foreign, in every spelling', async () => {
    const canceled = Object.assign(new Error('canceled'), { name: 'CanceledError', code: 'ERR_CANCELED' });
    const expired = AbortSignal.timeout(0);
    await new Promise((resolve) => expired.addEventListener('abort', resolve));
    for (const reason of [AbortSignal.abort().reason, expired.reason, canceled, { __CANCEL__: true }]) {
      expect(isCancellation(reason)).toBe(true);
      expect(isForeign(reason)).toBe(true);
    }
    expect(isCancellation(failed('ETIMEDOUT'))).toBe(false);
  });

  test('errors of ours and plain errors are not foreign', () => {
    expect(isForeign(classify('x'))).toBe(false);
    expect(isForeign(new Error('Not authorized'))).toBe(false);
    expect(isForeign('text')).toBe(false);
  });
});

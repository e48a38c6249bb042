import { inspect } from 'node:util';
import { classify, type DeviceCloudError, fromJSON } from '@faultmap/core';
import { evidence, safeCause } from '@faultmap/core/adapter';
import { describe, expect, test } from 'vitest';

const SECRET = 'Zm9vYmFyYmF6cXV4MTIzNDU2';
const request = {
  headers: { Authorization: `SharedAccessSignature sr=h&sig=${SECRET}&se=1` },
  data: `{"password":"${SECRET}"}`,
};

/** Every way an error gets into a log. */
function printed(error: unknown): string {
  const own: Record<string, unknown> = {};
  // What pino's serializer does: names in the error, inherited ones too.
  for (const key in error as object) own[key] = (error as Record<string, unknown>)[key];
  return [
    inspect(error, { depth: 10 }),
    inspect(error, { depth: 10, customInspect: false }),
    JSON.stringify(error),
    JSON.stringify({ ...(error as object) }),
    JSON.stringify(own),
    String(error),
    String((error as Error).stack),
  ].join('\n');
}

/** As HTTP clients throw it. */
function clientError(message = 'Request failed with status code 401'): Error {
  return Object.assign(new Error(message), {
    name: 'ClientError',
    config: request,
    request: { _header: request.headers.Authorization },
    response: { status: 401, headers: {}, data: `sig=${SECRET}`, config: request },
  });
}

describe('no secret is printed', () => {
  const faults: Record<string, () => unknown> = {
    'an error of an HTTP client': () => clientError(),
    'one that is frozen': () => Object.freeze(clientError()),
    'one whose message holds it': () => clientError(`refused: sig=${SECRET}&se=1`),
    'one whose chain holds it': () => new Error('outer', { cause: new Error('middle', { cause: clientError() }) }),
    'one in a list': () => new AggregateError([clientError(), clientError(`Bearer ${SECRET}`)], 'all failed'),
    'one with a plain object as cause': () => new Error('x', { cause: request }),
    'one with odd fields': () =>
      Object.assign(new Error('x'), { sasToken: `sig=${SECRET}`, deep: { a: { b: SECRET } }, password: SECRET }),
    'one with symbols and very many fields': () =>
      Object.assign(
        new Error('x'),
        { [Symbol('sent')]: request },
        Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, i < 150 ? i : `sig=${SECRET}`])),
      ),
    'one of a hundred': () =>
      new AggregateError(
        Array.from({ length: 100 }, () => clientError()),
        'x',
      ),
    'an answer': () => ({
      status: 401,
      headers: { authorization: request.headers.Authorization },
      body: `{"Message":"sig=${SECRET} is wrong"}`,
      config: request,
    }),
    'a text': () => `connect failed: HostName=h;SharedAccessKey=${SECRET}`,
    'an AMQP error': () => ({
      condition: 'amqp:unauthorized-access',
      description: `SharedAccessKey=${SECRET}`,
      info: { 'com.microsoft:tracking-id': `sig=${SECRET}` },
    }),
    'a redirect': () => ({ status: 307, headers: { location: `https://u:${SECRET}@h.example/?sig=${SECRET}` } }),
    'evidence that is not what it should be': () =>
      evidence({
        condition: `Bearer ${SECRET}`,
        text: `pwd=${SECRET}`,
        trackingId: `sig=${SECRET}`,
        timestamp: `password=${SECRET}`,
        payloadName: `x`,
        cause: request,
      }),
  };

  test.each(Object.entries(faults))('of %s', (_name, fault) => {
    const error = classify(fault(), { operation: `send with SharedAccessKey=${SECRET}` });
    expect(printed(error)).not.toContain(SECRET);
    expect(printed(fromJSON(JSON.stringify(error)))).not.toContain(SECRET);
  });
});

test('a cause that throws when it is read is printed by what can be read of it', () => {
  const refuse = () => {
    throw new Error('no');
  };
  const hostile = ['message', 'stack', 'name', 'constructor', Symbol.toStringTag].map((key) =>
    Object.defineProperty(new Error('x'), key, { get: refuse }),
  );
  for (const native of [...hostile, new Proxy(new Error('y'), { get: refuse })])
    expect(() => printed(classify(new Error('outer', { cause: native })))).not.toThrow();
});

describe('the cause', () => {
  test('stays the native error, with what it carries readable and out of sight', () => {
    const native = clientError();
    const { cause } = classify(native) as DeviceCloudError & { cause: typeof native & { config: unknown } };
    expect(cause).toBe(native);
    expect(cause.config).toBe(request);
    expect(Object.keys(cause)).not.toContain('config');
  });

  test('that cannot be changed is a copy, with name, code and redacted text', () => {
    const native = Object.freeze(
      Object.assign(new Error(`bad sig=${SECRET}`), { name: 'OddError', code: 'EODD', errno: -5 }),
    );
    const cause = safeCause(native);
    expect(cause).not.toBe(native);
    expect(cause).toMatchObject({ name: 'OddError', code: 'EODD', errno: -5, message: 'bad sig=[redacted]' });
  });

  test('shows no body of a request or an answer, whatever is in it', () => {
    const native = Object.assign(new Error('x'), {
      body: 'blood group AB',
      responseBody: 'blood group AB',
      code: 'EODD',
    });
    const error = classify(native);
    expect(error.cause).toBe(native);
    expect(native.body).toBe('blood group AB');
    expect(printed(error)).not.toContain('blood');
    expect(printed(error)).toContain('EODD');
  });

  test('that is no error is not kept, since printers show it', () => {
    expect(classify(evidence({ httpStatus: 404, cause: request })).cause).toBeUndefined();
    expect('cause' in classify({ status: 404 })).toBe(false);
  });
});

describe('the message', () => {
  test('is one line, most important first', () => {
    const error = classify(
      {
        status: 404,
        body: '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"Timed out waiting\\\\nfor device to connect.\\"}"}',
      },
      { operation: 'methods.invoke' },
    );
    expect(error.message).toBe('[404103 DeviceNotOnline] methods.invoke: Timed out waiting for device to connect.');
    expect(`${error}`).toBe(`DeviceOfflineError: ${error.message}`);
  });

  test('of a very long text is short, and so is the detail', () => {
    const error = classify({ status: 500, body: 'word '.repeat(1_000_000) });
    expect(error.message.length).toBeLessThan(260);
    expect(error.detail?.length).toBe(4096);
  });

  test('inspect shows summary, fix and documentation as well', () => {
    const text = inspect(classify({ status: 404, headers: { 'iothub-errorcode': 'DeviceNotOnline' } }));
    expect(text).toContain('summary:');
    expect(text).toContain('fix:');
    expect(text).toMatch(/^DeviceOfflineError: \[404103 DeviceNotOnline\]\n {4}at /);
  });

  test('fields that are not known are no own ones', () => {
    const error = classify({ status: 500 });
    expect(Object.keys(error).sort()).toEqual([
      'advice',
      'category',
      'executed',
      'httpStatus',
      'reason',
      'scope',
      'transient',
      'transport',
    ]);
    expect('code' in error).toBe(true);
    expect(error.code).toBeUndefined();
  });
});

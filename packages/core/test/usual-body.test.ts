import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from '../src/classify.ts';
import { type Payload, readAnyBody } from '../src/wire/payload.ts';
import { readUsualBody } from '../src/wire/usual-body.ts';

/*
 * The short cut must say what the reader of every form says: of the usual bodies, and of whatever
 * resembles them. Bodies are made of the pieces between which the two might differ.
 */

const FIELDS = ['code', 'name', 'trackingId', 'timestamp', 'text', 'failed', 'dps', 'html', 'broken'] as const;

function said(payload: Payload): Payload {
  return Object.fromEntries(FIELDS.flatMap((key) => (payload[key] === undefined ? [] : [[key, payload[key]]])));
}

/** Mostly so, since a body is a usual one only if every part of it is. */
function usual<T>(value: T) {
  return { weight: 4, arbitrary: fc.constant(value) };
}

const id = fc.oneof(
  usual('62ca75baa6f7941456375b53274a4542-G:3-TimeStamp:03/15/2025 09:11:49'),
  fc.constantFrom(
    '62ca75baa6f7941456375b53274a4542-TimeStamp:03/15/2025 09:11:49',
    'cadeb7b5a36059bde120f353e82d4f0b-B:_Backend_0_38-P:3fc393f4-708c-4602-a1d2-849739744035-TimeStamp:01/03/2025 09:44:55',
    '3fc393f4-708c-4602-a1d2-849739744035',
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9x',
    ' 62ca75baa6f7941456375b53274a4542',
    '62ca75baa6f7941456375b53274a4542-TimeStamp:3//15/202 09:11:49',
    '-'.repeat(32),
    '',
  ),
  fc.string({ maxLength: 40 }),
);
const words = fc.oneof(
  usual('Timed out waiting for device to connect.'),
  fc.constantFrom(
    'ErrorCode:DeviceNotFound;gone',
    ' ErrorCode:DeviceNotFound;gone',
    'Tracking ID:62ca75baa6f7941456375b53274a4542-G:3',
    "the device isn't online",
    "{'errorCode':404001}",
    "'errorCode': 404001",
    '"quoted"',
    '{"errorCode":404001}',
    '[1]',
    '<html><title>Bad</title>',
    '<!doctype html>',
    'two  blanks',
    'line\nbreak',
    'tab\tstop',
    ' led',
    'trailed ',
    '\u00a0led',
    '\u2028',
    '\ufeffmark',
    '\\',
    '',
    'Wait 10 seconds',
  ),
  fc.string({ maxLength: 30, unit: 'grapheme' }),
);
const time = fc.oneof(
  usual('2025-03-15T09:11:49.6536567Z'),
  fc.constantFrom('2025-03-15', 'noon', '', '3/15/2025 9:11:49 AM'),
);
const info = fc.constantFrom(
  undefined,
  null,
  {},
  { timeout: '00:01:00' },
  { a: 'b', c: 'd' },
  { a: { b: 1 } },
  { a: '"' },
);
const code = fc.oneof(usual(404103), fc.constantFrom(429001, 99, 0, 5000001, '404103', 'DeviceNotFound', null));

const numbered = fc
  .tuple(code, id, words, info, time)
  .map(([errorCode, trackingId, message, info, timestampUtc]) => ({
    errorCode,
    trackingId,
    message,
    ...(info === undefined ? {} : { info }),
    timestampUtc,
  }))
  .map((body) => JSON.stringify(body));
const body = fc.oneof(
  numbered,
  fc
    .tuple(
      numbered,
      fc.oneof(
        fc.constant(''),
        fc.constant(undefined),
        id.map((one) => `Tracking ID:${one}`),
      ),
    )
    .map(([Message, ExceptionMessage]) => JSON.stringify({ Message, ExceptionMessage })),
  fc
    .tuple(fc.constantFrom('DeviceNotOnline', 'Conflict', 'X', '4', 'Two Words'), words, id)
    .map(([name, text, one]) =>
      JSON.stringify({ Message: `ErrorCode:${name};${text}`, ExceptionMessage: `Tracking ID:${one}` }),
    ),
);
/** One character put in, taken out or replaced. */
const mutated = fc
  .tuple(body, fc.nat(), fc.constantFrom(0, 1), fc.constantFrom('', '"', '\\', '{', '}', ' ', '\n', ',', 'a', '1', '<'))
  .map(([text, at, out, put]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + put + text.slice(place + out);
  });

describe('the usual bodies', () => {
  it('are read as the reader of every form reads them', () => {
    let short = 0;
    fc.assert(
      fc.property(fc.oneof(body, mutated), (text) => {
        const usual = readUsualBody(text);
        if (usual === undefined) return;
        short++;
        expect(said(usual)).toEqual(said(readAnyBody(text)));
      }),
      { numRuns: 20_000 },
    );
    // Else this would hold of a short cut that takes nothing.
    expect(short).toBeGreaterThan(2_000);
  });

  it.each([
    // azure-iot-cli-extension#54
    String.raw`{"Message":"{\"errorCode\":404103,\"trackingId\":\"62ca75baa6f7941456375b53274a4542-G:3-TimeStamp:03/15/2025 09:11:49\",\"message\":\"Timed out waiting for device to connect.\",\"info\":{\"timeout\":\"00:01:00\"},\"timestampUtc\":\"2025-03-15T09:11:49.6536567Z\"}","ExceptionMessage":""}`,
    // csharp#37
    '{"Message":"ErrorCode:DeviceNotOnline;Timed out waiting for device to connect.","ExceptionMessage":"Tracking ID:4c004cc9c096ba760ec615f004b0dee5-G:5-TimeStamp:01/18/2017 08:11:45"}',
    // vscode-iot-workbench#590
    '{"errorCode":401002,"trackingId":"8d5b5c1e-3f3a-4f3f-9d1c-0d1a2b3c4d5e","message":"Unauthorized","timestampUtc":"2019-03-15T09:11:49.6536567Z"}',
  ])('take the short cut: %s', (text) => {
    const usual = readUsualBody(text);
    expect(usual).toBeDefined();
    expect(said(usual ?? {})).toEqual(said(readAnyBody(text)));
    expect(classify({ status: 404, body: text }).trackingId).toBe(usual?.trackingId);
  });
});

import { describe, expect, it } from 'vitest';
import { wireErrorOfCode } from '../src/amqp/errors.ts';
import { amqpFormOf } from '../src/forms/amqp.ts';
import { knownCodes } from '../src/forms/codes.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('forms of AMQP', () => {
  it('every known code has one, with a condition and its source', () => {
    for (const code of knownCodes()) {
      const { condition, source } = amqpFormOf(code);
      expect(condition, String(code)).toMatch(/^(amqp|com\.microsoft):[a-z-]+(:[a-z-]+)?$/);
      expect(source, String(code)).not.toBe('');
    }
  });

  it('fills tracking id and time, in the text and in the info', () => {
    for (const code of knownCodes()) {
      const { record, trackingId } = wireErrorOfCode({ code }, undefined, NOW);
      expect(record.description, String(code)).not.toMatch(/\{(trackingId|timestamp)\}/);
      expect(record.info?.['com.microsoft:tracking-id']).toBe(trackingId);
    }
    expect(wireErrorOfCode({ code: 404104 }, undefined, NOW).record.description).toContain('2026-01-02T03:04:05.000Z');
  });

  it('a code without a form of its own carries the document with its number', () => {
    const { record } = wireErrorOfCode({ code: 429003 }, undefined, NOW);
    expect(JSON.parse(record.description)).toMatchObject({
      errorCode: 429003,
      timestampUtc: '2026-01-02T03:04:05.000Z',
    });
  });

  it('a text and an info of the script come before those of the form', () => {
    const { record } = wireErrorOfCode({ code: 429001, message: 'slow down', info: { a: 1 } }, 5, NOW);
    expect(record).toEqual({
      condition: 'com.microsoft:device-container-throttled',
      description: 'slow down Wait 5 seconds and try again.',
      info: { a: 1 },
    });
  });
});

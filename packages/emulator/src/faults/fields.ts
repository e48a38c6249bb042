import { MAX_SKEW_MS } from '../state/clock.ts';
import type { UncleanKind } from './types.ts';

/** What a field may hold. */
export interface Field {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

const UNCLEAN: Record<UncleanKind, true> = {
  'reset-before': true,
  'reset-during': true,
  'reset-after': true,
  close: true,
  'half-open': true,
  'lost-ack': true,
  truncated: true,
  'not-json': true,
  slow: true,
  garbage: true,
  duplicate: true,
};

const text: Field = { expected: 'a text', fits: (value) => typeof value === 'string' };
const name: Field = {
  expected: 'a text that is not empty',
  fits: (value) => typeof value === 'string' && value !== '',
};
const flag: Field = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };
const anything: Field = { expected: 'anything', fits: () => true };
const fields: Field = {
  expected: 'an object',
  fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};
const pattern: Field = {
  expected: 'a text, a pattern or a list of texts',
  fits: (value) =>
    typeof value === 'string' || value instanceof RegExp || (Array.isArray(value) && value.every(text.fits)),
};

const whole = (least: number, most: number): Field => ({
  expected: `a whole number from ${least} to ${most}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});

const from = (least: number): Field => ({
  expected: `a number from ${least}`,
  fits: (value) => typeof value === 'number' && value >= least,
});

const oneOf = (...names: readonly string[]): Field => ({
  expected: `one of ${names.join(', ')}`,
  fits: (value) => names.includes(value as string),
});

export const SPEC = {
  transport: { ...oneOf('http', 'mqtt', 'amqp'), expected: "'http', 'mqtt' or 'amqp'" },
  match: anything,
  fault: anything,
  times: from(1),
  after: from(0),
  delayMs: from(0),
  retryAfterS: from(0),
  executes: flag,
};

export const MATCH = {
  operation: pattern,
  deviceId: pattern,
  moduleId: pattern,
  messageId: pattern,
  path: pattern,
  method: text,
};

/** Fields of each form of fault, under the one that tells the forms apart. */
export const FORMS = {
  // Three digits of an HTTP status, three of the cloud's own.
  code: { code: whole(200_000, 599_999), name, message: text, info: fields, shape: oneOf('old', 'new', 'flat') },
  status: { status: whole(200, 599), headers: fields, body: anything },
  condition: {
    condition: name,
    description: text,
    info: fields,
    at: oneOf('connection', 'session', 'link', 'delivery'),
  },
  outcome: { outcome: oneOf('rejected', 'released', 'modified'), deliveryFailed: flag, undeliverableHere: flag },
  answerStatus: { answerStatus: whole(0, 999), body: anything },
  reasonCode: {
    reasonCode: whole(0, 255),
    packet: oneOf('connack', 'disconnect', 'puback', 'suback', 'unsuback'),
    reasonString: text,
    userProperties: fields,
    serverReference: text,
  },
  unclean: {
    unclean: oneOf(...Object.keys(UNCLEAN)),
    bytesPerSecond: { expected: 'a number above 0', fits: (value: unknown) => typeof value === 'number' && value > 0 },
  },
  clockSkewMs: {
    clockSkewMs: {
      expected: 'a number of ms, of a hundred years at most',
      fits: (value: unknown) => typeof value === 'number' && Math.abs(value) <= MAX_SKEW_MS,
    },
  },
} satisfies Record<string, Record<string, Field>>;

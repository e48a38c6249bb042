import {
  above0,
  anything,
  either,
  type Fields,
  flag,
  from,
  listOf,
  name,
  object,
  oneOf,
  text,
  whole,
} from '../check.ts';
import { MAX_SKEW_MS } from '../state/clock.ts';
import type { UncleanKind } from './types.ts';

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

const regex = { expected: 'a pattern', fits: (value: unknown) => value instanceof RegExp };
const pattern = either('a text, a pattern or a list of texts', text, regex, listOf('texts', text));

/** Fields of a fault. */
export const SPEC = {
  transport: { ...oneOf('http', 'mqtt', 'amqp'), expected: "'http', 'mqtt' or 'amqp'" },
  match: anything,
  fault: anything,
  times: from(1),
  after: from(0),
  delayMs: from(0),
  retryAfterS: from(0),
  executes: flag,
} satisfies Fields;

export const MATCH = {
  operation: pattern,
  deviceId: pattern,
  moduleId: pattern,
  messageId: pattern,
  path: pattern,
  method: text,
} satisfies Fields;

/** Fields of each form of fault, under the one that tells the forms apart. */
export const FORMS = {
  // Three digits of an HTTP status, three of the cloud's own.
  code: { code: whole(200_000, 599_999), name, message: text, info: object, shape: oneOf('old', 'new', 'flat') },
  status: { status: whole(200, 599), headers: object, body: anything },
  condition: {
    condition: name,
    description: text,
    info: object,
    at: oneOf('connection', 'session', 'link', 'delivery'),
  },
  outcome: { outcome: oneOf('rejected', 'released', 'modified'), deliveryFailed: flag, undeliverableHere: flag },
  answerStatus: { answerStatus: whole(0, 999), body: anything },
  reasonCode: {
    reasonCode: whole(0, 255),
    packet: oneOf('connack', 'disconnect', 'puback', 'suback', 'unsuback'),
    reasonString: text,
    userProperties: object,
    serverReference: text,
  },
  unclean: { unclean: oneOf(...Object.keys(UNCLEAN)), bytesPerSecond: above0 },
  clockSkewMs: {
    clockSkewMs: {
      expected: 'a number of ms, of a hundred years at most',
      fits: (value: unknown) => typeof value === 'number' && Math.abs(value) <= MAX_SKEW_MS,
    },
  },
} satisfies Record<string, Fields>;

import type { FaultSpec } from '@faultmap/emulator';

/** What is done while a fault strikes. */
export type Act =
  | 'registry-get'
  | 'registry-create'
  | 'registry-update'
  | 'twin-get-service'
  | 'method'
  | 'http-send'
  | 'amqp-open'
  | 'amqp-send'
  | 'amqp-twin'
  | 'amqp-late-complete'
  | 'http-late-complete'
  | 'service-send'
  | 'mqtt-open'
  | 'mqtt-send'
  | 'mqtt-twin'
  | 'mqtt-taken-over'
  | 'dps-http'
  | 'dps-mqtt'
  | 'dps-amqp'
  | 'dps-http-failed'
  | 'dps-mqtt-failed'
  | 'dps-amqp-failed';

/** One fault, injected while an official client does something, and what is left of it. */
export interface FaultCase {
  readonly act: Act;
  /** The number or form that strikes; left out where behaviour brings it about. */
  readonly fault: FaultSpec['fault'];
  /** Shown in the table; the number injected, where there is one. */
  readonly injected: string;
  /**
   * What the SDK left, seen by experiment: `number` or `name` in a body, `condition` of AMQP,
   * `status`, `text`, `class`, or `nothing`. The first three name the code.
   */
  readonly leaves: 'number' | 'name' | 'condition' | 'status' | 'text' | 'class' | 'nothing';
  readonly code?: number;
  readonly category: string;
  /** What the client does instead of raising. */
  readonly raises?: 'success' | 'event';
}

const nested = (code: number) => ({ code, shape: 'new' }) as const;
const old = (code: number) => ({ code, shape: 'old' }) as const;

/** Over HTTP every error keeps the whole answer: body and header name the code. */
const http: readonly FaultCase[] = [
  ...(
    [
      [400004, 'bad-request'],
      [401002, 'unauthorized'],
      [403006, 'quota'],
      [404001, 'not-found'],
      [404103, 'offline'],
      [404104, 'offline'],
      [412001, 'precondition'],
      [413001, 'bad-request'],
      [429001, 'throttled'],
      [500001, 'server'],
      [503003, 'server'],
      [503008, 'throttled'],
      [504101, 'timeout'],
    ] as const
  ).flatMap(([code, category]): FaultCase[] => [
    { act: 'registry-get', fault: nested(code), injected: `${code} nested`, leaves: 'number', code, category },
    { act: 'registry-get', fault: old(code), injected: `${code} old`, leaves: 'name', code, category },
  ]),
  { act: 'registry-create', fault: undefined, injected: '409001', leaves: 'name', code: 409001, category: 'conflict' },
  { act: 'registry-update', fault: 412001, injected: '412001', leaves: 'name', code: 412001, category: 'precondition' },
  { act: 'twin-get-service', fault: 429001, injected: '429001', leaves: 'name', code: 429001, category: 'throttled' },
  { act: 'method', fault: undefined, injected: '404103', leaves: 'number', code: 404103, category: 'offline' },
  { act: 'method', fault: 504101, injected: '504101', leaves: 'number', code: 504101, category: 'timeout' },
  { act: 'method', fault: 400027, injected: '400027', leaves: 'number', code: 400027, category: 'conflict' },
  { act: 'http-send', fault: 403002, injected: '403002', leaves: 'name', code: 403002, category: 'quota' },
  { act: 'http-send', fault: 413001, injected: '413001', leaves: 'name', code: 413001, category: 'bad-request' },
  { act: 'http-send', fault: 429001, injected: '429001', leaves: 'name', code: 429001, category: 'throttled' },
  { act: 'http-send', fault: 401002, injected: '401002', leaves: 'name', code: 401002, category: 'unauthorized' },
  { act: 'http-send', fault: 'reset-before', injected: 'reset', leaves: 'text', category: 'network' },
  {
    act: 'http-late-complete',
    fault: undefined,
    injected: '412002',
    leaves: 'name',
    code: 412002,
    category: 'precondition',
  },
];

/** Over AMQP a class, and in `amqpError` the condition with its text. */
const amqp: readonly FaultCase[] = [
  ...(
    [
      [400004, 'bad-request'],
      [401002, 'unauthorized'],
      [403001, 'unauthorized'],
      [403002, 'quota'],
      [404001, 'not-found'],
      [412001, 'precondition'],
      [412002, 'precondition'],
      [413001, 'bad-request'],
      [429001, 'throttled'],
    ] as const
  ).map(
    ([code, category]): FaultCase => ({
      act: 'amqp-send',
      fault: code,
      injected: `${code} rejected`,
      leaves: 'condition',
      code,
      category,
    }),
  ),
  { act: 'amqp-send', fault: 500001, injected: '500001 rejected', leaves: 'number', code: 500001, category: 'server' },
  {
    act: 'amqp-send',
    fault: 429003,
    injected: '429003 rejected',
    leaves: 'number',
    code: 429003,
    category: 'throttled',
  },
  {
    act: 'amqp-send',
    fault: { condition: 'amqp:not-allowed', description: 'Service rejected the message with status: 429' },
    injected: 'not-allowed, status: 429',
    leaves: 'text',
    category: 'throttled',
  },
  {
    act: 'amqp-send',
    fault: { condition: 'amqp:link:stolen', description: 'Link stolen', at: 'link' },
    injected: '409002 link:stolen',
    leaves: 'condition',
    code: 409002,
    category: 'conflict',
  },
  {
    act: 'amqp-send',
    fault: { condition: 'amqp:link:detach-forced', description: 'Server Busy. Please retry operation', at: 'link' },
    injected: 'detach-forced, Server Busy',
    leaves: 'condition',
    code: 503001,
    category: 'server',
  },
  {
    act: 'amqp-send',
    fault: {
      condition: 'amqp:internal-error',
      description: 'Another AMQP Client has opened a Receive Link',
      at: 'session',
    },
    injected: '400027 by its text, session end',
    leaves: 'text',
    code: 400027,
    category: 'conflict',
  },
  { act: 'amqp-send', fault: 'reset-before', injected: 'reset', leaves: 'class', category: 'network' },
  {
    act: 'amqp-send',
    fault: { outcome: 'released' },
    injected: 'released',
    leaves: 'nothing',
    category: '-',
    raises: 'success',
  },
  {
    act: 'amqp-send',
    fault: { outcome: 'modified' },
    injected: 'modified',
    leaves: 'nothing',
    category: '-',
    raises: 'success',
  },
  // The client settles first: AMQP has no way to tell it that its lock was lost.
  {
    act: 'amqp-late-complete',
    fault: undefined,
    injected: '412002',
    leaves: 'nothing',
    category: '-',
    raises: 'success',
  },
  { act: 'amqp-open', fault: 401002, injected: '401002 by CBS', leaves: 'class', category: 'unauthorized' },
  { act: 'amqp-twin', fault: 429001, injected: '429001 twin', leaves: 'text', category: 'throttled' },
  {
    act: 'amqp-twin',
    fault: { answerStatus: 429 },
    injected: '429 twin, no body',
    leaves: 'class',
    category: 'throttled',
  },
  {
    act: 'amqp-twin',
    fault: { answerStatus: 404 },
    injected: '404 twin, no body',
    leaves: 'class',
    category: 'not-found',
  },
  {
    act: 'amqp-twin',
    fault: { answerStatus: 500 },
    injected: '500 twin, no body',
    leaves: 'class',
    category: 'server',
  },
  {
    act: 'amqp-twin',
    fault: { answerStatus: 503 },
    injected: '503 twin, no body',
    leaves: 'class',
    category: 'server',
  },
  {
    act: 'service-send',
    fault: 403004,
    injected: '403004 rejected',
    leaves: 'condition',
    code: 403004,
    category: 'quota',
  },
  {
    act: 'service-send',
    fault: 404001,
    injected: '404001 rejected',
    leaves: 'condition',
    code: 404001,
    category: 'not-found',
  },
  {
    act: 'service-send',
    fault: 429001,
    injected: '429001 rejected',
    leaves: 'condition',
    code: 429001,
    category: 'throttled',
  },
];

/** Over MQTT hardly anything is left. */
const mqtt: readonly FaultCase[] = [
  ...([4, 5] as const).map(
    (reasonCode): FaultCase => ({
      act: 'mqtt-open',
      fault: { reasonCode, packet: 'connack' },
      injected: `CONNACK ${reasonCode}`,
      leaves: 'text',
      category: 'unauthorized',
    }),
  ),
  {
    act: 'mqtt-open',
    fault: { reasonCode: 3, packet: 'connack' },
    injected: 'CONNACK 3',
    leaves: 'text',
    category: 'server',
  },
  { act: 'mqtt-send', fault: 'close', injected: 'close', leaves: 'class', category: 'network' },
  // Only a close that says nothing.
  {
    act: 'mqtt-taken-over',
    fault: undefined,
    injected: '400027',
    leaves: 'class',
    category: 'network',
    raises: 'event',
  },
  { act: 'mqtt-twin', fault: 429001, injected: '429001 twin', leaves: 'text', category: 'throttled' },
  { act: 'mqtt-twin', fault: 500001, injected: '500001 twin', leaves: 'text', category: 'server' },
  { act: 'mqtt-twin', fault: 404001, injected: '404001 twin', leaves: 'text', category: 'not-found' },
];

const provisioning: readonly FaultCase[] = [
  { act: 'dps-http', fault: 401002, injected: '401002', leaves: 'number', code: 401002, category: 'unauthorized' },
  { act: 'dps-http', fault: 404201, injected: '404201', leaves: 'number', code: 404201, category: 'not-found' },
  { act: 'dps-http', fault: 429001, injected: '429001', leaves: 'number', code: 429001, category: 'throttled' },
  { act: 'dps-http', fault: 500001, injected: '500001', leaves: 'number', code: 500001, category: 'server' },
  { act: 'dps-mqtt', fault: 401002, injected: '401002', leaves: 'number', code: 401002, category: 'unauthorized' },
  { act: 'dps-mqtt', fault: 404201, injected: '404201', leaves: 'number', code: 404201, category: 'not-found' },
  { act: 'dps-amqp', fault: 401002, injected: '401002', leaves: 'number', code: 401002, category: 'unauthorized' },
  { act: 'dps-amqp', fault: 404201, injected: '404201', leaves: 'number', code: 404201, category: 'not-found' },
  { act: 'dps-amqp', fault: 400004, injected: '400004', leaves: 'number', code: 400004, category: 'bad-request' },
];

export const cases: readonly FaultCase[] = [...http, ...amqp, ...mqtt, ...provisioning];

/** Failed inside a 200, after the wait that the service asks for: done at the same time. */
export const failedRegistrations: readonly FaultCase[] = (
  ['dps-http-failed', 'dps-mqtt-failed', 'dps-amqp-failed'] as const
).map((act) => ({
  act,
  fault: undefined,
  injected: '400209',
  leaves: 'number',
  code: 400209,
  category: 'bad-request',
}));

/* What can happen between a client and a server, and the one fault it is. */
import type { IClientOptions } from 'mqtt';
import type { Certificates } from './certificates.ts';
import type { Link, PeerOptions, Script } from './peer.ts';
import type { Library, Stage } from './stage.ts';

export interface Situation {
  readonly name: string;
  readonly levels?: readonly (4 | 5)[];
  readonly libraries?: readonly Library[];
  readonly peer?: PeerOptions;
  readonly script?: Script;
  readonly client?: IClientOptions;
  /** Where the client goes instead of the peer. */
  readonly url?: (peerPort: number) => string;
  /** What happens once it is connected. */
  readonly act?: (stage: Stage) => unknown;
  /** Of the one fault. */
  readonly expected: Record<string, unknown>;
  /** The connection ends over it: `close` is waited for. @default true */
  readonly closes?: boolean;
}

const unauthorized = { category: 'unauthorized', advice: 'renew-credentials', executed: 'no', scope: 'connection' };
const closedSilently = { category: 'unknown', advice: 'backoff', transient: true, scope: 'connection' };
const network = { category: 'network', advice: 'backoff', transient: true };
const tls = { category: 'network', advice: 'never', transient: false };
const violation = { category: 'protocol', advice: 'never' };

const refusing = (code: number, extra: object = {}): Script => ({ connect: (link) => link.connack(code, extra) });

export const refusals: readonly Situation[] = [
  {
    name: 'CONNACK 1',
    script: refusing(1),
    expected: { category: 'protocol', reason: 'Unacceptable protocol version', reasonCode: 1 },
  },
  {
    name: 'CONNACK 2',
    script: refusing(2),
    expected: { category: 'bad-request', reason: 'Identifier rejected', reasonCode: 2 },
  },
  {
    name: 'CONNACK 3',
    script: refusing(3),
    expected: {
      category: 'server',
      reason: 'Server unavailable',
      transient: true,
      candidates: [403012, 429001, 503001],
    },
  },
  {
    name: 'CONNACK 4',
    script: refusing(4),
    expected: { ...unauthorized, reason: 'Bad user name or password', reasonCode: 4 },
  },
  { name: 'CONNACK 5', script: refusing(5), expected: { ...unauthorized, reason: 'Not authorized', reasonCode: 5 } },
  {
    name: 'CONNACK 6, which 3.1.1 does not have',
    levels: [4],
    script: refusing(6),
    expected: { category: 'unknown', reasonCode: 6 },
  },
  ...(
    [
      [0x80, { category: 'unknown' }],
      [0x85, { category: 'bad-request' }],
      [0x86, unauthorized],
      [0x87, unauthorized],
      [0x88, { category: 'server', transient: true }],
      [0x89, { category: 'server', advice: 'throttled' }],
      [0x8a, { category: 'unauthorized', advice: 'never' }],
      [0x97, { category: 'quota' }],
      [0x9f, { category: 'throttled', transient: true }],
    ] as const
  ).map(
    ([code, expected]): Situation => ({
      name: `CONNACK 0x${code.toString(16)}`,
      levels: [5],
      script: refusing(code, { properties: { reasonString: `because ${code}` } }),
      expected: { ...expected, reasonCode: code, detail: `because ${code}` },
    }),
  ),
  {
    name: 'CONNACK 0x9D with a server reference and user properties',
    levels: [5],
    script: refusing(0x9d, {
      properties: { serverReference: 'other.example:8883', userProperties: { reason: 'moved west' } },
    }),
    expected: { category: 'not-found', serverReference: 'other.example:8883', detail: 'moved west' },
  },
];

/** A resolver in place of the system's, which answers as it is told. */
const resolver = (answer: (all: boolean) => unknown[]): IClientOptions =>
  ({
    lookup: (_host: string, { all }: { all?: boolean }, done: (...args: unknown[]) => void) =>
      done(...answer(all === true)),
  }) as IClientOptions;
const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND hub.example'), {
  code: 'ENOTFOUND',
  syscall: 'getaddrinfo',
  hostname: 'hub.example',
});
const twoAddresses = ['127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 }));

/** A port nobody listens on: one that is free now may be given to another test. */
const closedPort = 1;

export const failures: readonly Situation[] = [
  ...(['mqtt', 'ws', 'mqtts'] as const).map(
    (over): Situation => ({
      name: `nobody listens (${over})`,
      url: () => `${over}://127.0.0.1:${closedPort}`,
      expected: { ...network, reason: 'ECONNREFUSED', executed: 'no' },
    }),
  ),
  {
    name: 'two addresses, nobody listens on either',
    // mqtt.js takes a resolver of the program's own for TLS only.
    url: () => `mqtts://hub.example:${closedPort}`,
    client: {
      ...resolver((all) => (all ? [null, twoAddresses] : [null, '127.0.0.2', 4])),
      // However busy the machine is: refused, not late.
      ...({ autoSelectFamilyAttemptTimeout: 8_000 } as IClientOptions),
    },
    expected: { ...network, reason: 'ECONNREFUSED', executed: 'no' },
  },
  {
    name: 'a name that does not resolve',
    url: () => 'mqtts://hub.example:8883',
    client: resolver(() => [notFound]),
    expected: { ...network, reason: 'ENOTFOUND', executed: 'no' },
  },
  ...[401, 403, 503].map(
    (status): Situation => ({
      name: `websocket upgrade refused with ${status}`,
      peer: { over: 'ws', refuseUpgrade: status },
      expected: { category: status === 503 ? 'server' : 'unauthorized', httpStatus: status, transport: 'mqtt' },
    }),
  ),
  {
    name: 'a websocket that is never opened',
    client: { connectTimeout: 120 },
    url: (port) => `ws://127.0.0.1:${port}`,
    expected: { category: 'timeout', reason: 'ConnectTimeout', executed: 'no' },
  },
  {
    name: 'a CONNECT that cannot be encoded',
    levels: [4],
    client: { password: 'planted-password' },
    expected: { ...violation, detail: 'Username is required to use password' },
  },
  { name: 'closed right after CONNECT', script: { connect: (link) => link.fin() }, expected: closedSilently },
  {
    name: 'reset right after CONNECT',
    script: { connect: (link) => link.reset() },
    expected: { ...network, reason: 'ECONNRESET' },
  },
  {
    name: 'no CONNACK',
    client: { connectTimeout: 120 },
    script: { connect: () => {} },
    expected: { category: 'timeout', reason: 'ConnectTimeout', transient: true, executed: 'no' },
  },
  {
    name: 'HTTP instead of MQTT, and then the time-out',
    client: { connectTimeout: 1_500 },
    script: { connect: (link) => link.raw('HTTP/1.1 400 Bad Request\r\n\r\n') },
    expected: violation,
  },
  {
    name: 'garbage after CONNACK, and the connection goes on',
    act: ({ peer }) => peer.links[0]?.raw(Buffer.from([0xf7, 0x00])),
    closes: false,
    expected: violation,
  },
  { name: 'closed after CONNACK', act: ({ peer }) => peer.links[0]?.fin(), expected: closedSilently },
  {
    name: 'reset after CONNACK',
    act: ({ peer }) => peer.links[0]?.reset(),
    expected: { ...network, reason: 'ECONNRESET', executed: 'unknown' },
  },
  {
    name: 'a server that answers no ping',
    client: { keepalive: 1 },
    script: { pingreq: () => {} },
    expected: { category: 'timeout', reason: 'KeepAliveTimeout', transient: true },
  },
  {
    name: 'a second CONNACK',
    libraries: ['newest'],
    act: ({ peer }) => peer.links[0]?.connack(0),
    expected: violation,
  },
  {
    name: 'an acknowledgement of another kind',
    libraries: ['newest'],
    closes: false,
    script: { subscribe: (link, { messageId }) => link.send({ cmd: 'puback', messageId }) },
    act: ({ client }) => client.subscribe('a'),
    expected: violation,
  },
  {
    name: 'a packet above the size that was allowed',
    levels: [5],
    libraries: ['newest'],
    client: { properties: { maximumPacketSize: 50 } },
    act: ({ peer }) =>
      peer.links[0]?.send({ cmd: 'publish', topic: 'a', payload: 'x'.repeat(99), qos: 0, dup: false, retain: false }),
    expected: violation,
  },
  {
    name: 'a topic alias that was not allowed',
    levels: [5],
    libraries: ['newest'],
    act: ({ peer }) =>
      peer.links[0]?.send({
        cmd: 'publish',
        topic: 'a',
        payload: '',
        qos: 0,
        dup: false,
        retain: false,
        properties: { topicAlias: 7 },
      }),
    expected: violation,
  },
];

const disconnecting =
  (code: number, properties: object, stays = false) =>
  (stage: Stage) => {
    const link = stage.peer.links[0] as Link;
    link.send({ cmd: 'disconnect', reasonCode: code, properties });
    if (!stays) link.fin();
  };

export const disconnects: readonly Situation[] = [
  ...(
    [
      [0x81, { category: 'protocol' }],
      [0x87, { category: 'unauthorized' }],
      [0x8b, { category: 'server', transient: true }],
      [0x8d, { category: 'timeout' }],
      [0x8e, { category: 'conflict', candidates: [400027] }],
      [0x96, { category: 'throttled', transient: true }],
      [0x97, { category: 'quota' }],
      [0x98, { category: 'server' }],
    ] as const
  ).map(
    ([code, expected]): Situation => ({
      name: `DISCONNECT 0x${code.toString(16)}`,
      levels: [5],
      act: disconnecting(code, { reasonString: `because ${code}` }),
      expected: { ...expected, reasonCode: code, detail: `because ${code}`, scope: 'connection', executed: 'unknown' },
    }),
  ),
  {
    name: 'DISCONNECT 0x9C with a server reference',
    levels: [5],
    act: disconnecting(0x9c, { serverReference: 'spare.example' }),
    expected: { category: 'not-found', serverReference: 'spare.example' },
  },
  {
    name: 'DISCONNECT 0x83 of the IoT Hub preview, throttled',
    levels: [5],
    act: disconnecting(0x83, {
      userProperties: { status: '0501', reason: 'slow down', 'trace-id': 'b1946ac9-2b1a-4e1c-9d3b-1d6b5b1c2d3e' },
    }),
    expected: { category: 'throttled', reason: 'Throttled', detail: 'slow down' },
  },
  {
    name: 'DISCONNECT, and the server leaves the socket open',
    levels: [5],
    act: disconnecting(0x8b, {}, true),
    expected: { category: 'server', reasonCode: 0x8b },
  },
  {
    name: 'DISCONNECT 0x00, which says nothing',
    levels: [5],
    act: disconnecting(0, {}),
    expected: closedSilently,
  },
];

export const acknowledgements: readonly Situation[] = [
  ...([true, false] as const).map(
    (heard): Situation => ({
      name: `PUBACK refused, ${heard ? 'heard by the program' : 'with nobody to hear it'}`,
      levels: [5],
      closes: false,
      script: {
        publish: (link, { messageId }) =>
          link.send({ cmd: 'puback', messageId, reasonCode: 0x97, properties: { reasonString: 'no more today' } }),
      },
      act: ({ client }) =>
        heard ? client.publishAsync('a', 'b', { qos: 1 }).catch(() => {}) : client.publish('a', 'b', { qos: 1 }),
      expected: {
        category: 'quota',
        reasonCode: 0x97,
        scope: 'publish',
        executed: 'no',
        detail: 'no more today',
        operation: 'publish a',
      },
    }),
  ),
  {
    name: 'PUBREC refused',
    levels: [5],
    closes: false,
    script: { publish: (link, { messageId }) => link.send({ cmd: 'pubrec', messageId, reasonCode: 0x87 }) },
    act: ({ client }) => client.publishAsync('a', 'b', { qos: 2 }).catch(() => {}),
    expected: { category: 'unauthorized', reasonCode: 0x87, scope: 'publish', executed: 'no' },
  },
  {
    name: 'PUBCOMP refused',
    levels: [5],
    closes: false,
    script: { pubrel: (link, { messageId }) => link.send({ cmd: 'pubcomp', messageId, reasonCode: 0x92 }) },
    act: ({ client }) => client.publishAsync('a', 'b', { qos: 2 }).catch(() => {}),
    expected: { category: 'protocol', reasonCode: 0x92, scope: 'publish', executed: 'unknown' },
  },
  {
    name: 'SUBSCRIBE refused',
    closes: false,
    script: {
      subscribe: (link, { messageId }) =>
        link.send({ cmd: 'suback', messageId, granted: [link.version === 5 ? 0x87 : 0x80] }),
    },
    act: ({ client }) => client.subscribeAsync('a/b').catch(() => {}),
    expected: { scope: 'subscription', executed: 'no', operation: 'subscribe a/b' },
  },
  {
    name: 'one of three topics refused',
    closes: false,
    script: { subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0, 0x80, 1] }) },
    act: ({ client }) => client.subscribeAsync(['a', 'b', 'c']).catch(() => {}),
    expected: { category: 'unknown', reasonCode: 0x80, operation: 'subscribe b' },
  },
  {
    name: 'SUBACK with too few codes',
    libraries: ['newest'],
    script: { subscribe: (link, { messageId }) => link.send({ cmd: 'suback', messageId, granted: [0] }) },
    act: ({ client }) => client.subscribeAsync(['a', 'b']).catch(() => {}),
    expected: violation,
  },
  {
    name: 'UNSUBSCRIBE refused',
    levels: [5],
    closes: false,
    script: { unsubscribe: (link, { messageId }) => link.send({ cmd: 'unsuback', messageId, granted: [0x87] }) },
    act: ({ client }) => client.unsubscribeAsync('a').catch(() => {}),
    expected: { category: 'unauthorized', reasonCode: 0x87, scope: 'subscription', operation: 'unsubscribe a' },
  },
];

/** Faults of TLS; `certificates` of {@link makeCertificates}. */
export function tlsSituations({ ca, good, selfSigned, expired, otherHost }: Certificates): readonly Situation[] {
  const served = (pair: typeof good, name: string, reason: string, client: IClientOptions = { ca }): Situation => ({
    name: `certificate: ${name}`,
    peer: { over: 'mqtts', tls: pair },
    client,
    expected: { ...tls, reason, executed: 'no' },
  });
  return [
    served(selfSigned, 'self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', {}),
    served(good, 'of an unknown authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', {}),
    served(expired, 'expired', 'CERT_HAS_EXPIRED'),
    served(otherHost, 'of another host', 'ERR_TLS_CERT_ALTNAME_INVALID'),
    {
      name: 'wss with a certificate of an unknown authority',
      peer: { over: 'wss', tls: good },
      expected: { ...tls, reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    },
    {
      name: 'client certificate missing',
      peer: { over: 'mqtts', tls: { ...good, ca, requestCert: true } },
      client: { ca },
      expected: { ...tls, reason: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' },
    },
    {
      name: 'a plain client on a TLS port',
      peer: { over: 'mqtts', tls: good },
      url: (port) => `mqtt://127.0.0.1:${port}`,
      expected: closedSilently,
    },
    {
      name: 'a TLS client on a plain port',
      url: (port) => `mqtts://127.0.0.1:${port}`,
      script: { open: (link) => link.raw('220 not TLS\r\n') },
      expected: { category: 'network', transient: false },
    },
  ];
}

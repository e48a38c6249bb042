import type { IncomingHttpHeaders } from 'node:http';
import { CloudFault } from '../state/fault.ts';
import { isJsonObject } from '../state/json.ts';
import type { AckRequest, C2dMessage } from '../state/queues.ts';
import { parseJson } from './body.ts';
import { type HandlerAnswer, type HttpRequest, identityIn, type Operation } from './types.ts';

const BATCH_TYPE = 'application/vnd.microsoft.iothub.json';

/** A device sends: one message, or a batch of base64 bodies. */
const sendEvent: Operation['handle'] = (request, { cloud }) => {
  const identity = identityIn(request.params);
  const batch = String(request.headers['content-type'] ?? '').startsWith(BATCH_TYPE);
  const messages = batch
    ? parseBatch(request.body)
    : [{ body: request.body, properties: appProperties(request.headers) }];
  for (const { body, properties } of messages) {
    cloud.sendEvent(identity, Object.assign(systemProperties(request.headers), { body, properties }), 'http');
  }
  return { status: 204 };
};

/** A service sends to a device, named in the path or in the `to` header. */
const send: Operation['handle'] = (request, { cloud }) => {
  const deviceId =
    request.params.deviceId ?? deviceOf(header(request.headers, 'iothub-to') ?? header(request.headers, 'to'));
  if (!deviceId) throw new CloudFault('argument-invalid', { text: 'The device to send to is not named' });
  const expiry = header(request.headers, 'iothub-expiry');
  const expiresAt = expiry === undefined ? undefined : Date.parse(expiry);
  if (Number.isNaN(expiresAt)) throw new CloudFault('argument-invalid', { text: 'iothub-expiry is not a time' });
  const ack = header(request.headers, 'iothub-ack');
  cloud.sendToDevice(deviceId, {
    ...systemProperties(request.headers),
    ack: ack && ['none', 'positive', 'negative', 'full'].includes(ack) ? (ack as AckRequest) : undefined,
    expiresAt,
    properties: appProperties(request.headers),
    body: request.body,
  });
  return { status: 204 };
};

const receive: Operation['handle'] = (request, { cloud }): HandlerAnswer => {
  const { deviceId } = cloud.identities.get(identityIn(request.params));
  cloud.throttles.take('c2d-receive');
  const got = cloud.queues.receive(deviceId);
  if (!got) return { status: 204 };
  return { status: 200, headers: messageHeaders(got.message, got.lockToken), body: got.message.body };
};

const settle: Operation['handle'] = (request, { cloud }) => {
  const { deviceId = '', lockToken = '' } = request.params;
  cloud.throttles.take('c2d-receive');
  const reject = new URLSearchParams(request.query).has('reject');
  const message = reject ? cloud.queues.reject(deviceId, lockToken) : cloud.queues.complete(deviceId, lockToken);
  cloud.log.executed(reject ? 'c2d-reject' : 'c2d-complete', message.messageId);
  return { status: 204 };
};

const abandon: Operation['handle'] = (request, { cloud }) => {
  const { deviceId = '', lockToken = '' } = request.params;
  cloud.throttles.take('c2d-receive');
  cloud.log.executed('c2d-abandon', cloud.queues.abandon(deviceId, lockToken).messageId);
  return { status: 204 };
};

const purge: Operation['handle'] = (request, { cloud }) => {
  const deviceId = request.params.deviceId ?? '';
  const totalMessagesPurged = cloud.queues.purge(deviceId);
  return { status: 200, body: { totalMessagesPurged, deviceId, moduleId: null } };
};

const feedback: Operation['handle'] = (_request, { cloud }) => {
  const records = cloud.feedback.take();
  return records.length > 0 ? { status: 200, body: records } : { status: 204 };
};

/** Messages in both directions by name. */
export const messages = {
  sendEvent: { name: 'd2c', access: 'self', shape: 'new', handle: sendEvent },
  send: { name: 'c2d-send', access: 'service', shape: 'old', handle: send },
  receive: { name: 'c2d-receive', access: 'self', shape: 'old', handle: receive },
  settle: { name: 'c2d-settle', access: 'self', shape: 'old', handle: settle },
  abandon: { name: 'c2d-settle', access: 'self', shape: 'old', handle: abandon },
  purge: { name: 'c2d-purge', access: 'service', shape: 'old', handle: purge },
  feedback: { name: 'feedback', access: 'service', shape: 'old', handle: feedback },
} as const satisfies Record<string, Operation>;

function parseBatch(body: Buffer) {
  const entries = parseJson(body);
  if (!Array.isArray(entries)) throw new CloudFault('argument-invalid', { text: 'The batch is not an array' });
  return entries.map((entry) => {
    if (!isJsonObject(entry) || typeof entry.body !== 'string') {
      throw new CloudFault('argument-invalid', { text: 'An entry of the batch has no body' });
    }
    const given = isJsonObject(entry.properties) ? Object.entries(entry.properties) : [];
    const properties = Object.fromEntries(given.map(([name, value]) => [bare(name), String(value)]));
    const plain = entry.base64Encoded === false;
    return { body: Buffer.from(entry.body, plain ? 'utf8' : 'base64'), properties };
  });
}

function systemProperties(headers: IncomingHttpHeaders) {
  return {
    messageId: header(headers, 'iothub-messageid'),
    correlationId: header(headers, 'iothub-correlationid'),
    userId: header(headers, 'iothub-userid'),
    contentType: header(headers, 'iothub-contenttype'),
    contentEncoding: header(headers, 'iothub-contentencoding'),
  };
}

const APP = 'iothub-app-';
const bare = (name: string) => (name.toLowerCase().startsWith(APP) ? name.slice(APP.length) : name);

function appProperties(headers: IncomingHttpHeaders): Record<string, string> {
  const properties: Record<string, string> = {};
  // Not by Object.entries: this runs for every message.
  for (const name in headers) {
    if (name.startsWith(APP)) properties[name.slice(APP.length)] = String(headers[name]);
  }
  return properties;
}

/** What a device gets with a message; text a header cannot hold goes out escaped. */
function messageHeaders(message: C2dMessage, lockToken: string): Record<string, string> {
  const headers: Record<string, string> = {
    etag: `"${lockToken}"`,
    'content-type': 'application/octet-stream',
    'iothub-messageid': safe(message.messageId),
    'iothub-to': message.to,
    'iothub-sequencenumber': String(message.sequence),
    'iothub-enqueuedtime': new Date(message.enqueuedAt).toISOString(),
    'iothub-expiry': new Date(message.expiresAt).toISOString(),
    'iothub-deliverycount': String(message.deliveryCount - 1),
  };
  if (message.correlationId) headers['iothub-correlationid'] = safe(message.correlationId);
  if (message.ack) headers['iothub-ack'] = message.ack;
  if (message.contentType) headers['iothub-contenttype'] = safe(message.contentType);
  if (message.contentEncoding) headers['iothub-contentencoding'] = safe(message.contentEncoding);
  for (const [name, value] of Object.entries(message.properties ?? {}))
    headers[`${APP}${safeName(name)}`] = safe(value);
  return headers;
}

const safe = (text: string) => (/[^\x20-\x7e]/.test(text) ? encodeURIComponent(text) : text);
const safeName = (name: string) => (/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ? name : encodeURIComponent(name));

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** `/devices/ID/messages/devicebound` */
function deviceOf(address: string | undefined): string | undefined {
  const match = /^\/?devices\/([^/]+)/i.exec(address ?? '');
  if (!match?.[1]) return undefined;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return undefined;
  }
}

/** Used by the exchange: message id for faults and the log. */
export function messageIdOf(request: Pick<HttpRequest, 'headers'>): string | undefined {
  return header(request.headers, 'iothub-messageid');
}

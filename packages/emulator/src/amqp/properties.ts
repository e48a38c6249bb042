import rhea from 'rhea';
import type { AmqpMessage } from './link.ts';

/** Message ids are text, numbers or sixteen bytes of a UUID: one text for all. */
export function idText(id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (Buffer.isBuffer(id)) return id.length === 16 ? rhea.uuid_to_string(id) : id.toString('hex');
  return String(id);
}

/** A UUID as AMQP has it; other text stays text. */
export function idValue(id: string): Buffer | string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? rhea.string_to_uuid(id) : id;
}

/** Application properties as text, as every transport has them. */
export function textProperties(message: AmqpMessage, without: readonly string[] = []): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.application_properties ?? {})) {
    if (value !== undefined && value !== null && !without.includes(name)) properties[name] = textOf(value);
  }
  return properties;
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return Buffer.isBuffer(value) ? value.toString('base64') : String(value);
}

/** The fields all messages of the cloud have in common. */
export function commonFields(message: AmqpMessage): {
  messageId: string | undefined;
  correlationId: string | undefined;
  userId: string | undefined;
  contentType: string | undefined;
  contentEncoding: string | undefined;
} {
  return {
    messageId: idText(message.message_id),
    correlationId: idText(message.correlation_id),
    userId: Buffer.isBuffer(message.user_id) ? message.user_id.toString('utf8') : undefined,
    contentType: message.content_type,
    contentEncoding: message.content_encoding,
  };
}

/** A time as rhea decodes it, in ms since the epoch. */
export function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Numbers with the width the clients insist on. */
export const int = (value: number): unknown => rhea.types.wrap_int(value);
export const long = (value: number): unknown => rhea.types.wrap_long(value);
export const timestamp = (ms: number): unknown => rhea.types.wrap_timestamp(ms);

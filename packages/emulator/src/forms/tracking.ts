import { randomUUID } from 'node:crypto';

/**
 * A tracking id in the grammar of the C# SDK (TrackingHelper.cs#L17-L20):
 * `GUID-G:gateway-TimeStamp:MM/dd/yyyy HH:mm:ss`.
 */
export function trackingId(now: number): string {
  const at = new Date(now);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(at.getUTCMonth() + 1)}/${two(at.getUTCDate())}/${at.getUTCFullYear()}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return `${randomUUID().replaceAll('-', '')}-G:5-TimeStamp:${day} ${time}`;
}

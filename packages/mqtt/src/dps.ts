import type { MqttAnswer } from './answer.ts';

/** Without a hint the SDKs poll every two seconds. */
const DEFAULT_POLL_MS = 2_000;

interface Registration {
  readonly operationId?: unknown;
  readonly status?: unknown;
}

/** The Device Provisioning Service is still at it: ask again. */
export function isPending({ status, payload }: MqttAnswer): boolean {
  const said = String((payload as Registration | undefined)?.status ?? '').toLowerCase();
  return status === 202 || said === 'assigning' || said === 'registering';
}

/** Where to ask; `undefined` where the answer does not say (a later one may leave the id out). */
export function pollTopic({ payload }: MqttAnswer): string | undefined {
  const { operationId } = (payload ?? {}) as Registration;
  if (typeof operationId !== 'string' || operationId === '') return undefined;
  return `$dps/registrations/GET/iotdps-get-operationstatus/?operationId=${encodeURIComponent(operationId)}`;
}

/** The wait it asks for, in whole seconds in the topic; both spellings are in use. */
export function pollAfterMs({ properties }: MqttAnswer): number {
  const key = Object.keys(properties).find((name) => name.toLowerCase() === 'retry-after');
  const seconds = key === undefined ? Number.NaN : Number(properties[key]);
  return seconds > 0 && seconds < 86_400 ? seconds * 1_000 : DEFAULT_POLL_MS;
}

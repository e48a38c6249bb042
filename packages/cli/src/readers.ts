import { readAmqp } from '@faultmap/amqp';
import type { ClassifyContext } from '@faultmap/core';
import { type Evidence, readSystemError } from '@faultmap/core/adapter';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { readHttp } from '@faultmap/http';
import { readMqtt } from '@faultmap/mqtt';

/** All shapes we know: what loggers write of errors, those of the three clients, and of the official SDKs. */
export const everyReader: ClassifyContext = { readers: [readLogged, readHttp, readMqtt, readAmqp, readAzureSdk] };

type Logged = Readonly<Record<string, unknown>>;

/**
 * An error as a logger wrote it: `JSON.stringify` of axios' error, which keeps its status and no
 * answer; the same under `err`, by its `type`, of pino; a fault of the system, of either.
 */
function readLogged(input: unknown): Evidence | undefined {
  if (!isPlain(input)) return undefined;
  const inner = [input.err, input.exception].find(isPlain);
  const error = inner ?? input;
  if (error.name === 'AxiosError' || error.type === 'AxiosError') return readHttp(asRaised(error)) ?? undefined;
  return inner && readSystemError(inner);
}

/** With what axios itself would tell it by. */
function asRaised(error: Logged): object {
  const { status, response } = error;
  const answer = response ?? (typeof status === 'number' ? { status, headers: {} } : undefined);
  return { ...error, isAxiosError: true, ...(answer !== undefined && { response: answer }) };
}

/** Parsed JSON, and no error or other thing of the process itself. */
function isPlain(value: unknown): value is Logged {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

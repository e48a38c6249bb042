import type { AnyDeviceCloudError } from '@faultmap/core';
import { evidence, readHttpAnswer } from '@faultmap/core/adapter';
import { type MqttAnswer, type RawAnswer, readAnswer } from './answer.ts';
import { readMqtt } from './evidence.ts';
import type { Exchange } from './exchange.ts';
import type { Faults } from './faults.ts';

/** IoT Hub's preview says `status` in four hex digits, other responders in three decimal ones. */
const PREVIEW_STATUS = /^0?[1-9a-f][0-9a-f]{2}$/i;
const HTTP_STATUS = /^[1-5]\d\d$/;

/**
 * What an answer says: its content, or the fault it is.
 *
 * @throws the typed error of an answer that refuses, or that cannot be one
 */
export function judgeAnswer<T>(raw: RawAnswer, exchange: Exchange, faults: Faults, operation: string): MqttAnswer<T> {
  const seen = readMqtt(raw);
  if (seen) throw faults.type(seen, operation);
  let answer: MqttAnswer<T>;
  try {
    answer = readAnswer<T>(raw, exchange);
  } catch (cause) {
    const text = 'the body of the answer is not JSON';
    throw faults.typeSeen({ scope: 'request', brokenAnswer: true, text, cause }, operation);
  }
  const refused = exchange.service === 'other' ? refusalIn(answer, raw, faults, operation) : undefined;
  if (refused) throw refused;
  return answer;
}

function refusalIn(
  { status, properties }: MqttAnswer,
  raw: RawAnswer,
  faults: Faults,
  operation: string,
): AnyDeviceCloudError | undefined {
  const said = properties.status ?? '';
  if (PREVIEW_STATUS.test(said) && !HTTP_STATUS.test(said)) {
    const text = properties.reason === undefined ? {} : { text: properties.reason };
    return faults.typeSeen(
      { scope: 'request', statusProperty: said.toUpperCase().padStart(4, '0'), ...text },
      operation,
    );
  }
  // The body of a refusal has the same forms whatever brought it.
  const seen = readHttpAnswer({ status, headers: properties, body: raw.payload });
  if (!seen) return undefined;
  const here = { transport: 'mqtt', httpStatus: undefined, answerStatus: status, address: raw.topic } as const;
  return faults.type(evidence({ ...seen, ...here }), operation);
}

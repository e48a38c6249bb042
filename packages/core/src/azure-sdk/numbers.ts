import type { ProseConclusion } from '../text/rules.ts';

/* Results that MQTT clients on devices print as bare numbers. */

/** CONNACK of 3.1.1 [MQTT-3.1.1 3.2.2.3], as paho (`result code 5`) and PubSubClient print it. */
const connack: Readonly<Record<number, ProseConclusion>> = {
  1: 'version',
  2: 'badRequest',
  3: 'unavailable',
  4: 'unauthorized',
  5: 'unauthorized',
};

/** PubSubClient's own states below zero (PubSubClient.h). */
const pubSubClient: Readonly<Record<number, ProseConclusion>> = {
  [-4]: 'connectTimeout',
  [-3]: 'connectionLost',
  [-2]: 'notConnected',
  [-1]: 'connectionLost',
};

/** Numbers of Linux, lwIP and Winsock, by what they mean; a localised Windows says nothing else in English. */
const systemNumbers: readonly (readonly [ProseConclusion, ReadonlySet<number>])[] = [
  ['connectionLost', new Set([32, 103, 104, 107, 113, 119, 128, 10053, 10054, 10058])],
  ['notConnected', new Set([101, 111, 10051, 10061, 10065])],
  ['timeout', new Set([110, 116, 10060])],
  ['unresolved', new Set([-5, -3, -2, 11001, 11002, 11003, 11004])],
];

/** `SocketException (10061)`, `[WinError 10054]`, `(os error 104)`, `[Errno -2]`, `errno=128`. */
export function systemNumberIn(text: string): ProseConclusion | undefined {
  const match = /\b(?:socketexception|winerror|os error|errno|select error) ?[=:(]? ?(-?\d{1,5})\b(?!\.\d)/i.exec(text);
  return match ? systemNumbers.find(([, numbers]) => numbers.has(Number(match[1])))?.[0] : undefined;
}

const REFUSED =
  /\b(?:(?:fail(?:ed|ure)?|could not|unable|cannot) (?:to )?connect(?:ing)?|connect(?:ion)? (?:failed|failure|error|refused?))\b[\w ,.:()-]{0,40}?\b(?:rc|result code|return code|reason code|with code) ?[:=]{0,2} ?([1-5])\b(?!\.?\d)/i;

/** `Failed to connect, return code 5`: the number of the CONNACK says why. */
export function refusalNumberIn(text: string): ProseConclusion | undefined {
  const match = REFUSED.exec(text);
  return match ? connack[Number(match[1])] : undefined;
}

/** What a client's result number means, from the words around it. */
export function resultInText(text: string): ProseConclusion | undefined {
  // paho: a number with a disconnect is the library's own; with a connect it is the CONNACK's.
  const end =
    /disconnect\w* ?(?:called: |with |unexpectedly )?[\w (),.:]{0,40}?(?:\brc[ :=]{1,3}|result code:? ?)(\d{1,2})\b/i.exec(
      text,
    );
  if (end) return Number(end[1]) === 0 ? undefined : 'connectionLost';
  // The Python SDK's words for a number of paho's own; those of a CONNACK it spells out.
  if (/\bpaho returned rc ?==? ?[1-9]/i.test(text)) return 'connectionLost';
  const match =
    /\b(?:rc|result code|return(?:ed)? code|returned result|status code|mqttexception|client\.state\(\)) ?(?:={1,2}|:)? ?(-\d|[1-5])\b(?!\.?\d)/i.exec(
      text,
    ) ?? /\bstate ?(?:={1,2}|:)? ?(-[1-4])\b(?!\.?\d)/i.exec(text);
  if (match) return connack[Number(match[1])] ?? pubSubClient[Number(match[1])];
  const answer = /\bCONNACK\b.{0,60}?(?:RETURN_CODE: 0x|response code: | code:? | \(\d, )([1-5])\b/.exec(text);
  return answer ? connack[Number(answer[1])] : undefined;
}

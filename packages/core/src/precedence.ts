import { amqpOutcomes } from './catalogue/amqp-conditions.ts';
import { judgeStatus, judgeUnlisted } from './catalogue/http-statuses.ts';
import { conditionRow, rowOfCode, rowOfName } from './catalogue/indexes.ts';
import { judgeMqttReason, judgeMqttStatus, silentCloseCandidates } from './catalogue/mqtt-reasons.ts';
import { clientTimeouts, systemFault } from './catalogue/system-faults.ts';
import type { Catalogue, CodeRow, ConditionCase, ConditionRow, Judgement } from './catalogue/types.ts';
import type { Category } from './categories.ts';
import type { EvidenceFields } from './evidence.ts';
import { refusalIn } from './text/refusal.ts';
import { proseIn, proseJudgement } from './text/rules.ts';

/** What a rule concluded, and from which row of which catalogue. */
export type Conclusion = Judgement & { readonly row?: CodeRow };

type Rule = (seen: EvidenceFields, catalogues: readonly Catalogue[]) => Conclusion | undefined;

/**
 * What counts when evidence contradicts itself: the first rule that concludes anything wins. The
 * number in the payload beats the HTTP status and any class name, since clients and gateways
 * change those and leave the payload alone.
 */
export const PRECEDENCE: readonly (readonly [name: string, rule: Rule])[] = [
  ['number in the payload', (seen, catalogues) => byNumber(seen.payloadCode, seen, catalogues)],
  ['name in the payload or a header', (seen, catalogues) => byName(seen.payloadName, seen, catalogues)],
  ['number in info, link or prose', (seen, catalogues) => byNumber(seen.textCode, seen, catalogues)],
  ['name in prose', (seen, catalogues) => byName(seen.textName, seen, catalogues)],
  ['AMQP condition', byCondition],
  ['AMQP outcome', byOutcome],
  ['status of an answer', (seen) => named(byAnswerStatus(seen), seen)],
  [
    'MQTT status property',
    (seen) => (seen.statusProperty === undefined ? undefined : judgeMqttStatus(seen.statusProperty)),
  ],
  ['MQTT reason code', byReasonCode],
  ['failed registration', byRegistration],
  ['answer that is none', byBrokenAnswer],
  ['HTTP status', (seen) => named(byStatus(seen.httpStatus, seen), seen)],
  ['limit of the client', byOwnLimit],
  ['fault of the system', bySystemCode],
  ['time-out of the client', (seen) => (seen.timedOut === undefined ? undefined : clientTimeouts[seen.timedOut])],
  ['violation of the protocol', (seen) => (seen.violation ? violation : undefined)],
  ['prose', byProse],
  ['silent close', bySilence],
  ['a number or name nobody knows', byUnknownLabel],
];

const violation: Judgement = {
  category: 'protocol',
  reason: 'ProtocolViolation',
  advice: 'never',
  executed: 'unknown',
};
const silentClose: Judgement = {
  category: 'network',
  reason: 'ConnectionClosed',
  advice: 'backoff',
  executed: 'unknown',
};
const nothing: Judgement = { category: 'unknown', reason: 'Unlisted', advice: 'never', executed: 'unknown' };

/** Judge what was seen. `rank` tells which rule did: the lower, the stronger the evidence. */
export function judge(
  seen: EvidenceFields,
  catalogues: readonly Catalogue[],
): { readonly conclusion: Conclusion; readonly rank: number } {
  for (let rank = 0; rank < PRECEDENCE.length; rank++) {
    const conclusion = PRECEDENCE[rank]?.[1](seen, catalogues);
    if (conclusion) return { conclusion, rank };
  }
  return { conclusion: nothing, rank: PRECEDENCE.length };
}

function byNumber(
  code: number | undefined,
  seen: EvidenceFields,
  catalogues: readonly Catalogue[],
): Conclusion | undefined {
  if (code === undefined) return undefined;
  const row = rowOfCode(code, catalogues);
  if (row) return ofRow(row, seen, code);
  const judged = judgeUnlisted(code);
  // A name beside an unlisted number is kept: the catalogue may be older than the cloud.
  return judged && { ...judged, code, reason: seen.payloadName ?? judged.reason };
}

function byName(
  name: string | undefined,
  seen: EvidenceFields,
  catalogues: readonly Catalogue[],
): Conclusion | undefined {
  const row = name === undefined ? undefined : rowOfName(name, catalogues);
  if (row === undefined || name === undefined) return undefined;
  // A phrase that any web server uses (`NotFound`) is no code of this cloud.
  if (row.code < 1000) return { category: row.category, reason: name, advice: row.advice, executed: row.executed };
  return ofRow(row, seen);
}

/** `code` as it came: a misprint is kept. */
function ofRow(row: CodeRow, seen: EvidenceFields, code = row.code): Conclusion {
  const { category, reason, advice } = row;
  return { category, reason, advice, code, executed: executedOf(row, seen), row };
}

/** The text may tell more exactly than the row whether the operation ran. */
function executedOf(row: CodeRow, seen: EvidenceFields): Judgement['executed'] {
  if (row.executedByText && seen.text !== undefined) {
    const { text } = seen;
    for (const part in row.executedByText) {
      const executed = row.executedByText[part];
      if (executed && (text.includes(part) || text.toLowerCase().includes(part))) return executed;
    }
  }
  return row.executed;
}

function byCondition(seen: EvidenceFields, catalogues: readonly Catalogue[]): Conclusion | undefined {
  if (seen.condition === undefined) return undefined;
  const row = conditionRow(seen.condition);
  // A status in the text tells more than a condition that says nothing, or that nobody knows.
  if (row === undefined || row.vague) {
    const judged = byAnswerStatus(seen);
    if (judged) return { ...judged, reason: seen.condition };
  }
  if (row === undefined) return { ...(byProse(seen) ?? nothing), reason: seen.condition };
  const met = row.cases?.find((one) => holds(one, seen));
  return placed(met ? { ...row, ...met } : row, seen, catalogues);
}

function holds(one: ConditionCase, seen: EvidenceFields): boolean {
  return (
    (one.local === undefined || one.local === seen.local) &&
    (one.scopes === undefined || (seen.scope !== undefined && one.scopes.includes(seen.scope))) &&
    (one.side === undefined || one.side === seen.side) &&
    (one.moved === undefined || seen.serverReference !== undefined) &&
    (one.direction === undefined || one.direction === seen.direction) &&
    (one.text === undefined || (seen.text?.toLowerCase().includes(one.text) ?? false))
  );
}

/** IoT Hub puts no number in a condition: it is concluded only where the place of the fault is known. */
function placed(
  judged: Judgement & Partial<ConditionRow>,
  seen: EvidenceFields,
  catalogues: readonly Catalogue[],
): Conclusion {
  const { category, reason, advice, executed, code, candidates } = judged;
  if (code === undefined) return { category, reason, advice, executed, ...(candidates && { candidates }) };
  if (seen.scope === undefined) return { category, reason, advice, executed, candidates: [code] };
  const row = rowOfCode(code, catalogues);
  return { category, reason: row?.reason ?? reason, advice, executed, code, ...(row && { row }) };
}

function byOutcome(seen: EvidenceFields): Conclusion | undefined {
  // A local code of rhea for "this delivery came to nothing"; a condition, where there is one, says more.
  if (seen.outcome === undefined) return undefined;
  return amqpOutcomes[seen.outcome === 'modified' && seen.deliveryFailed ? 'modified:delivery-failed' : seen.outcome];
}

function byAnswerStatus(seen: EvidenceFields): Conclusion | undefined {
  const judged = byStatus(seen.answerStatus, seen);
  // Who gets an answer on a twin is signed in: what is refused then is a quota, of the day as a rule.
  if (
    judged?.category === 'unauthorized' &&
    seen.answerStatus === 403 &&
    seen.transport !== 'http' &&
    seen.scope === 'request' &&
    seen.service !== 'dps'
  )
    return { ...judged, category: 'quota', advice: 'at-reset', candidates: [403002, 403001] };
  return judged;
}

/** What a status that has several meanings can be made more exact to by the words beside it. */
const REFINED: Readonly<Record<number, readonly Category[]>> = { 403: ['quota'], 404: ['offline'] };

function byStatus(status: number | undefined, seen: EvidenceFields): Conclusion | undefined {
  if (status === undefined) return undefined;
  const refined = REFINED[status];
  const prose = refined && byProse(seen);
  return prose && refined?.includes(prose.category) ? prose : judgeStatus(status);
}

/** Names are words without digits; what else a header holds is left alone. */
const NAME = /^[A-Z][A-Za-z]{2,60}$/;

/** A name that no catalogue lists says more than the status it came with: the catalogue may be older than the cloud. */
function named(judged: Conclusion | undefined, { payloadName }: EvidenceFields): Conclusion | undefined {
  return judged && payloadName !== undefined && NAME.test(payloadName) ? { ...judged, reason: payloadName } : judged;
}

/** A reader's own conclusion from words, else the words. */
function byProse(seen: EvidenceFields): Conclusion | undefined {
  if (seen.prose !== undefined) return proseJudgement(seen.prose);
  if (seen.text === undefined) return undefined;
  const name = proseIn(seen.text);
  return refusalIn(seen.text) ?? (name === undefined ? undefined : proseJudgement(name));
}

function byReasonCode(seen: EvidenceFields): Conclusion | undefined {
  if (seen.reasonCode === undefined) return undefined;
  return (
    judgeMqttReason(seen.reasonCode, seen.packet, seen.protocolVersion) ?? {
      ...nothing,
      // Whatever it means: what is refused was not done.
      executed: seen.packet === undefined || seen.packet === 'disconnect' ? 'unknown' : 'no',
      reason: `0x${seen.reasonCode.toString(16).padStart(2, '0').toUpperCase()}`,
    }
  );
}

function byRegistration(seen: EvidenceFields): Conclusion | undefined {
  if (seen.registrationFailed === 'disabled')
    return { category: 'unauthorized', reason: 'RegistrationDisabled', advice: 'never', executed: 'no' };
  if (seen.registrationFailed === 'failed') return { ...nothing, reason: 'RegistrationFailed', executed: 'no' };
  return undefined;
}

function byBrokenAnswer(seen: EvidenceFields): Conclusion | undefined {
  // A success that was cut off on its way: it ran, or at least was about to.
  if (!seen.brokenAnswer) return undefined;
  return { ...violation, reason: 'BrokenAnswer', advice: 'backoff', executed: seen.executed ?? 'unknown' };
}

function bySystemCode(seen: EvidenceFields): Conclusion | undefined {
  if (seen.systemCode === undefined) return undefined;
  // "Software caused connection abort": HTTP clients give their own time-outs this code.
  if (seen.systemCode === 'ECONNABORTED' && byProse(seen)?.category === 'timeout') return clientTimeouts.request;
  const fault = systemFault(seen.systemCode) ?? { category: 'network', advice: 'backoff', executed: 'unknown' };
  const { category, executed } = fault;
  // A pooled connection that had been closed while it idled says nothing about the next one.
  const advice = seen.reusedConnection && fault.advice === 'backoff' ? 'now' : fault.advice;
  // The program was given no host: looking for it again finds it no better.
  const nowhere = seen.text !== undefined && /\bENOTFOUND (?:undefined|null)(?![\w.-])/.test(seen.text);
  // The platform's words for a connection that never opened, where the call itself is not told.
  const connecting = seen.text?.includes(`connect ${seen.systemCode}`) ?? false;
  return {
    category,
    reason: seen.systemCode,
    advice: nowhere ? 'never' : advice,
    executed: connecting ? 'no' : (seen.executed ?? executed),
  };
}

/** The program's own limits and options: the same request meets them again. */
function byOwnLimit(seen: EvidenceFields): Conclusion | undefined {
  if (seen.ownLimit === 'request')
    return { category: 'bad-request', reason: 'RefusedByClient', advice: 'never', executed: 'no' };
  if (seen.ownLimit === 'answer')
    return { ...violation, reason: 'AnswerTooLarge', executed: seen.executed ?? 'unknown' };
  return undefined;
}

/** Where several causes look alike, none is guessed. */
function bySilence(seen: EvidenceFields): Conclusion | undefined {
  if (!seen.silentClose) return undefined;
  const candidates = candidatesOfClose(seen);
  return candidates.length === 0 ? { ...silentClose, candidates } : { ...silentClose, category: 'unknown', candidates };
}

/** Over MQTT 3.1.1 a close without a word is the hub's only way to say anything. */
function candidatesOfClose(seen: EvidenceFields): readonly number[] {
  return seen.candidates ?? (seen.transport === 'mqtt' && (seen.protocolVersion ?? 4) < 5 ? silentCloseCandidates : []);
}

function byUnknownLabel(seen: EvidenceFields): Conclusion | undefined {
  const name = seen.payloadName ?? seen.textName;
  const code = seen.payloadCode;
  if (name === undefined && code === undefined) return undefined;
  return { ...nothing, reason: name ?? 'Unlisted', ...(code !== undefined && { code }) };
}

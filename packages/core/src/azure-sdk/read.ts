import { conditionRow } from '../catalogue/indexes.ts';
import { type Evidence, type EvidenceFields, evidence } from '../evidence.ts';
import { MAX_TEXT } from '../limits.ts';
import { attempt, get, getString, isError, isObject } from '../shape.ts';
import { refusalIn } from '../text/refusal.ts';
import { type ProseConclusion, proseIn } from '../text/rules.ts';
import { readAmqpError } from '../wire/amqp-error.ts';
import { readHttpAnswer } from '../wire/http.ts';
import { plainText } from '../wire/plain-text.ts';
import { readSystemError } from '../wire/system.ts';
import { readText } from '../wire/text.ts';
import { ANSWER, innerTexts, labelsOf, shortName, statusOf } from './fields.ts';
import { classes, coreAmqpConditions, exactClasses, javaConditions, members, uamqpConditions } from './names.ts';
import { refusalNumberIn, resultInText, systemNumberIn } from './numbers.ts';

/** Node gives this class to whatever went wrong at the first MQTT connect. */
const FIRST_CONNECTION = /failure on first connection \(not authorized\)/i;
/**
 * A reader for `classify`: errors of the official Azure SDKs (Node objects by shape), and what
 * those of .NET, Java, Python and C print. The classes alone say little, since most are made of
 * the HTTP status; a number, a name or a condition anywhere in the error comes first.
 *
 * @returns `undefined` where nothing of an SDK is seen; never throws
 */
export function readAzureSdk(input: unknown): Evidence | undefined {
  return attempt(() =>
    typeof input === 'string' ? readPrinted(input) : isObject(input) ? readObject(input) : undefined,
  );
}

function readPrinted(given: string): Evidence | undefined {
  const text = plainText(given.slice(0, MAX_TEXT));
  const sdk = fieldsOfText(text);
  return sdk && evidence({ ...readText(text), ...sdk });
}

/** What only an SDK prints: class names, members of enumerations, numbers of clients. */
function fieldsOfText(text: string): EvidenceFields | undefined {
  const condition = uamqpConditions[/\bErrorCodes\.([A-Za-z]{4,40})\b/.exec(text)?.[1] ?? ''] ?? javaCondition(text);
  const named = classIn(text);
  // A refusal is left to `classify`, which knows all names of MQTT.
  const prose = refusalIn(text)
    ? undefined
    : (saidIn(text) ?? systemNumberIn(text) ?? named?.conclusion ?? memberIn(text) ?? resultInText(text));
  if (condition === undefined && prose === undefined && named?.exact === undefined) return undefined;
  return { ...(condition && { condition }), ...(prose && { prose }), ...(named?.exact && { textName: named.exact }) };
}

/** The words; those for any connection that did not come about say less than the number beside them. */
function saidIn(text: string): ProseConclusion | undefined {
  const prose = proseIn(text);
  const weak = prose === undefined || prose === 'notConnected' || prose === 'connectionLost';
  return (weak ? refusalNumberIn(text) : undefined) ?? prose;
}

/** `AmqpLinkDetachForcedException` → `amqp:link:detach-forced`, as the SDK for Java names its classes. */
function javaCondition(text: string): string | undefined {
  const name = /\bAmqp([A-Z][A-Za-z]{4,40})Exception\b/.exec(text)?.[1];
  if (name === undefined) return undefined;
  const words = name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase();
  const condition = javaConditions[name] ?? `amqp:${words.replace(/^(connection|session|link)-/, '$1:')}`;
  return conditionRow(condition) && condition;
}

interface NamedClass {
  readonly conclusion: ProseConclusion;
  readonly exact: string | undefined;
}

/** What SDKs put before the name of a fault, to tell whose class it is. */
const PREFIX = /^(?:IotHub|IoTHub|Mqtt|AMQP|Amqps?|Messaging|ProvisioningServiceClient)/;

/** `EventHubsException(ServiceBusy)`: the hub's built-in endpoint, in .NET, has one class and a reason. */
const REASON = /Exception ?\(([A-Z][A-Za-z]{2,40})\)/;

function classIn(text: string): NamedClass | undefined {
  const reason = REASON.exec(text)?.[1];
  const told = reason === undefined ? undefined : classOf(reason);
  if (told) return { conclusion: told, exact: undefined };
  const distrusted = FIRST_CONNECTION.test(text);
  for (const [whole, stem = ''] of text.matchAll(/\b([A-Z][A-Za-z]{1,50}?)(?:Error|Exception)\b/g)) {
    if ((distrusted && stem === 'Unauthorized') || whole === 'ModuleNotFoundError') continue; // Python's own
    const conclusion = classOf(stem) ?? classOf(stem.replace(PREFIX, ''));
    if (conclusion) return { conclusion, exact: exactClasses.has(whole) ? stem : undefined };
  }
  return undefined;
}

function classOf(stem: string): ProseConclusion | undefined {
  return Object.hasOwn(classes, stem) ? classes[stem] : undefined;
}

function memberIn(text: string): ProseConclusion | undefined {
  for (const [word] of text.matchAll(/\b[A-Za-z]{2,20}(?:_[A-Za-z]{2,20}){1,8}\b/g)) {
    const upper = word
      .toUpperCase()
      .replace(
        /^(?:IOTHUB_CLIENT_(?:CONNECTION|CONFIRMATION|RESULT)|PROV_DEVICE_RESULT|MQTT_(?:CONNECTION|CLIENT))_/,
        '',
      );
    if (Object.hasOwn(members, upper)) return members[upper];
  }
  return undefined;
}

function readObject(input: object): Evidence | undefined {
  const name = getString(input, 'name') ?? getString(get(input, 'constructor'), 'name') ?? '';
  const message = getString(input, 'message') ?? '';
  const own = ownForm(input);
  // A parsed body has the same fields; that is no exception.
  const labels = isError(input) ? labelsOf(input) : {};
  const inner = innerTexts(input);
  const text = [message, ...inner].join('\n').slice(0, MAX_TEXT);
  const printed = fieldsOfText(`${shortName(name)}: ${text}`) ?? memberOf(input);
  const read = readText(text);
  const labelled = Object.keys(labels).length > 0;
  if (!own && !printed && !labelled && inner.length === 0 && read?.answerStatus === undefined) return undefined;
  return evidence({ ...read, ...printed, ...labels, ...own, cause: input });
}

/** `IotHubClientErrorCode.Throttled` of .NET: what the exception's own class does not say. */
function memberOf(input: object): EvidenceFields | undefined {
  const prose = classOf((getString(input, 'ErrorCode') ?? '').replace(/Errors?$/, ''));
  return prose && { prose };
}

/** A number, a condition or an answer that Node's errors keep as fields. */
function ownForm(input: object): EvidenceFields | undefined {
  const condition =
    getString(input, 'condition') ?? getString(get(input, 'amqpError'), 'condition') ?? conditionOfCode(input);
  if (condition !== undefined) {
    const amqpError = get(input, 'amqpError');
    const holder = getString(input, 'condition') === undefined && isObject(amqpError) ? amqpError : input;
    const description = getString(holder, 'description') ?? getString(holder, 'message');
    return withoutUndefined(readAmqpError({ condition, description, info: get(holder, 'info') }));
  }
  const response = get(input, 'response');
  const status = statusOf(response, ANSWER) ?? statusOf(input);
  if (status === undefined)
    return withoutUndefined(readSystemError(input) ?? readSystemError(get(input, 'transportError')));
  const body =
    get(input, 'responseBody') ??
    get(response, 'bodyAsText') ??
    get(response, 'body') ??
    getString(response, 'text') ??
    get(response, 'data') ??
    get(input, 'details');
  return withoutUndefined(readHttpAnswer({ status, headers: get(response, 'headers'), body }));
}

function conditionOfCode(input: object): string | undefined {
  const code = getString(input, 'name') === 'MessagingError' ? getString(input, 'code') : undefined;
  return code !== undefined && Object.hasOwn(coreAmqpConditions, code) ? coreAmqpConditions[code] : undefined;
}

function withoutUndefined(fields: EvidenceFields | undefined): EvidenceFields | undefined {
  return (
    fields && (Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as EvidenceFields)
  );
}

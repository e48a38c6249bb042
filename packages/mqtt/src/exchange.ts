/** A pair of topics: where requests go, and where their answers come. */
export interface Exchange {
  /** What is subscribed to. */
  readonly filter: string;
  /** `iot-hub` and `dps` answer with a status in the topic and JSON in the body. */
  readonly service: 'iot-hub' | 'dps' | 'other';
  /** May the request run twice without harm, where the topic tells? */
  readonly idempotent: boolean;
}

const DPS_DEADLINE_MS = 120_000;
const TWIN = '$iothub/twin/res/#';
const DPS = '$dps/registrations/res/#';

/** Filters of the pairs that need no `responseTopic`. */
export const KNOWN_FILTERS = [TWIN, DPS] as const;

export function exchangeOf(topic: string, responseTopic: string | undefined): Exchange | undefined {
  if (responseTopic !== undefined) return { filter: responseTopic, service: 'other', idempotent: false };
  if (topic.startsWith('$iothub/twin/'))
    return { filter: TWIN, service: 'iot-hub', idempotent: topic.startsWith('$iothub/twin/GET') };
  if (topic.startsWith('$dps/registrations/')) return { filter: DPS, service: 'dps', idempotent: true };
  return undefined;
}

/** Does an answer of twin or DPS come here, whoever asked? */
export function isAnswerTopic(topic: string): boolean {
  return topic.startsWith('$iothub/twin/res/') || topic.startsWith('$dps/registrations/res/');
}

export function defaultDeadlineMs(exchange: Exchange): number | undefined {
  return exchange.service === 'dps' ? DPS_DEADLINE_MS : undefined;
}

/** The topic with our request id, first of its query: some patterns look for it only there. */
export function withRequestId(topic: string, rid: string): string {
  const [path = '', query = ''] = split(topic);
  const rest = query.split('&').filter((pair) => pair !== '' && !pair.startsWith('$rid='));
  return `${path}${path.endsWith('/') ? '' : '/'}?${[`$rid=${rid}`, ...rest].join('&')}`;
}

/** Names and values of an answer topic's query. */
export function queryOf(topic: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const pair of (split(topic)[1] ?? '').split('&')) {
    const at = pair.indexOf('=');
    if (at > 0) query[pair.slice(0, at)] = decode(pair.slice(at + 1));
  }
  return query;
}

/** `…/res/{status}/?…`: the last part of the path, where it is a number of three digits. */
export function statusIn(topic: string): number | undefined {
  const [path = ''] = split(topic);
  const match = /\/(\d{3})\/?$/.exec(path);
  return match ? Number(match[1]) : undefined;
}

/** Does a topic match a subscription with `+` and `#`? A shared one (`$share/group/…`) goes by its filter. */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.replace(/^\$share\/[^/]+\//, '').split('/');
  const levels = topic.split('/');
  for (const [at, part] of wanted.entries()) {
    if (part === '#') return true;
    if (levels[at] === undefined || (part !== '+' && part !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

function split(topic: string): string[] {
  const at = topic.indexOf('?');
  return at < 0 ? [topic] : [topic.slice(0, at), topic.slice(at + 1)];
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

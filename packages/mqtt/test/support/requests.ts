/* Requests on one attached client, and a peer that answers them. */
import type { IPublishPacket } from 'mqtt-packet';
import type { Link, Script } from './peer.ts';
import { connected, type Stage, type StageOptions, staged as stagedAnyhow } from './stage.ts';

const fast = { baseDelayMs: 1, maxDelayMs: 5, throttledBaseDelayMs: 1, throttledMaxDelayMs: 5 };
export const attach = { retry: fast, reconnect: { baseDelayMs: 1, maxDelayMs: 5, stableAfterMs: 0 } };

/** Connected, and quick to repeat. */
export function staged(options: StageOptions, run: (stage: Stage) => Promise<void>): Promise<void> {
  return stagedAnyhow({ attach, ...options }, async (stage) => {
    await connected(stage);
    await run(stage);
  });
}

export const GET = '$iothub/twin/GET/';
export const PATCH = '$iothub/twin/PATCH/properties/reported/';

export const ridOf = ({ topic }: IPublishPacket) => /\$rid=([^&]+)/.exec(topic)?.[1];

export const say = (link: Link, topic: string, payload: unknown, properties?: object) =>
  link.send({
    cmd: 'publish',
    topic,
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    qos: 0,
    dup: false,
    retain: false,
    ...(properties && { properties }),
  });

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly query?: string;
}

/** One answer for each request in turn; the last one for all that follow. */
const answering = (topic: string, answers: readonly Answer[]): Script => {
  let at = 0;
  return {
    publish: (link, packet) => {
      const { status, body = '', query = '' } = answers[Math.min(at++, answers.length - 1)] ?? { status: 500 };
      say(link, `${topic}/${status}/?$rid=${ridOf(packet)}${query}`, body);
    },
  };
};
/** Answers of a twin. */
export const twin = (...answers: Answer[]): Script => answering('$iothub/twin/res', answers);
/** Answers of the Device Provisioning Service. */
export const dps = (...answers: Answer[]): Script => answering('$dps/registrations/res', answers);

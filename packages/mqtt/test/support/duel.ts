/* Two clients with one client id: who makes how many connections? */
import { setTimeout as after } from 'node:timers/promises';
import { attachMqtt } from '@faultmap/mqtt';
import mqtt, { type IClientOptions } from 'mqtt';

export interface DuelOptions {
  readonly url: string;
  readonly client: IClientOptions;
  readonly attached: boolean;
  readonly durationMs: number;
  readonly baseDelayMs: number;
}

/** @returns connections made by each of the two */
export async function duel({ url, client, attached, durationMs, baseDelayMs }: DuelOptions): Promise<[number, number]> {
  const counts: [number, number] = [0, 0];
  const ends = [0, 1].map((which) => {
    const one = mqtt.connect(url, { ...client, reconnectPeriod: baseDelayMs });
    one.on('packetsend', ({ cmd }) => {
      if (cmd === 'connect') counts[which as 0 | 1] += 1;
    });
    // The first CONNECT left with the call, before anybody listens.
    counts[which as 0 | 1] += 1;
    const handle = attached ? attachMqtt(one, { reconnect: { baseDelayMs } }) : undefined;
    return () => {
      handle?.detach();
      one.end(true);
    };
  });
  await after(durationMs);
  for (const end of ends) end();
  return counts;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

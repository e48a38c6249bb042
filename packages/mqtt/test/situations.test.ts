import { setTimeout as after } from 'node:timers/promises';
import { isDeviceCloudError } from '@faultmap/core';
import { describe, expect, test, vi } from 'vitest';
import { makeCertificates } from './support/certificates.ts';
import { startPeer } from './support/peer.ts';
import {
  acknowledgements,
  disconnects,
  failures,
  refusals,
  type Situation,
  tlsSituations,
} from './support/situations.ts';
import { connected, type Library, setStage } from './support/stage.ts';

// They wait far more than they work.
vi.setConfig({ maxConcurrency: 24 });

const certificates = makeCertificates();
if (!certificates) console.warn('openssl is not here: the TLS situations are skipped');

/** After the fault: long enough for a second one to show itself. */
const ECHO_MS = 60;

async function play(situation: Situation, library: Library, level: 4 | 5) {
  const { script, peer = {}, client, act, url } = situation;
  const target = url && (await startPeer(script ? { ...peer, script } : peer));
  const stage = await setStage({
    library,
    level,
    peer: script ? { ...peer, script } : peer,
    ...(client && { client }),
    ...(target && { url: url(target.port) }),
  });
  try {
    const closed =
      situation.closes === false ? undefined : new Promise<void>((resolve) => stage.client.once('close', resolve));
    if (act) {
      await connected(stage);
      await act(stage);
    }
    await stage.heard('fault');
    await closed;
    await after(ECHO_MS);
    return stage.of('fault').map(({ error }) => error);
  } finally {
    await stage.close();
    await target?.stop();
  }
}

function tell(title: string, situations: readonly Situation[]): void {
  describe(title, () => {
    for (const situation of situations)
      for (const library of situation.libraries ?? (['newest', 'oldest'] as const))
        for (const level of situation.levels ?? ([4, 5] as const))
          test.concurrent(`${situation.name} is one fault (level ${level}, ${library} mqtt.js)`, async () => {
            const faults = await play(situation, library, level);
            expect(faults.map((error) => error.message)).toHaveLength(1);
            expect(isDeviceCloudError(faults[0])).toBe(true);
            expect(faults[0]).toMatchObject(situation.expected);
          });
  });
}

tell('refused connections', refusals);
tell('connections that fail or are lost', failures);
tell('DISCONNECT', disconnects);
tell('refused acknowledgements', acknowledgements);
if (certificates) tell('TLS', tlsSituations(certificates));

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startPeer } from './support/peer.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the example of the README runs (on the built package)', async () => {
  const example = /```js\n([\s\S]*?)```/.exec(readFileSync(`${root}README.md`, 'utf8'))?.[1] ?? '';
  const folder = `${root}dist/readme`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/example.mjs`, example);
  const peer = await startPeer({
    script: {
      publish: (link, { topic }) => {
        const rid = /\$rid=(.*)/.exec(topic)?.[1];
        if (rid === undefined) return false;
        const answer = {
          cmd: 'publish',
          qos: 0,
          dup: false,
          retain: false,
          payload: '{"desired":{"speed":3}}',
        } as const;
        return link.send({ ...answer, topic: `$iothub/twin/res/200/?$rid=${rid}` });
      },
    },
  });
  const env = { ...process.env, MQTT_URL: peer.url, MQTT_USER: 'hub/pump-7', MQTT_SAS: 'sas' };
  const { stdout } = await promisify(execFile)(process.execPath, [`${folder}/example.mjs`], { env, timeout: 15_000 });
  expect(stdout).toBe('desired { speed: 3 }\n');
  expect(peer.links[0]?.of('publish').map(({ topic }) => topic.split('?')[0])).toEqual([
    '$iothub/twin/GET/',
    'devices/pump-7/messages/events/',
  ]);
  await peer.stop();
  rmSync(folder, { recursive: true });
});

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Delivery, EventContext, Message } from 'rhea';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPeer } from './support/server.ts';

const run = promisify(execFile);
const home = fileURLToPath(new URL('..', import.meta.url));
const folder = join(home, 'dist/readme');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  await run(process.execPath, [join(dirname(typescript), 'bin/tsc'), '-b'], { cwd: home });
}, 60_000);

it('the example of the README runs as it stands', async () => {
  const peer = await startPeer({ accept: false }, (container) => {
    let token = false;
    container.on('receiver_open', ({ receiver }: EventContext) => {
      if (receiver?.target?.address !== '$cbs' && !token)
        receiver?.close({ condition: 'amqp:unauthorized-access', description: 'Token Invalid.' });
    });
    container.on('message', ({ message, delivery, session, receiver }: EventContext) => {
      const request = message as Message;
      const taken = delivery as Delivery;
      if (receiver?.target?.address === '$cbs' || request.to === '$cbs') {
        taken.accept();
        token = request.body === 'a token';
        const application_properties = { 'status-code': token ? 200 : 401 };
        session
          ?.find_sender(() => true)
          ?.send({ body: '', correlation_id: request.message_id, application_properties } as Message);
      } else if (String(request.body).length > 262_144)
        taken.reject({ condition: 'amqp:link:message-size-exceeded', description: 'too large' });
      else taken.accept();
    });
  });
  const example = /```js\n([\s\S]*?)```/.exec(readFileSync(join(home, 'README.md'), 'utf8'))?.[1] ?? '';
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'example.mjs'), example);
  const env = { ...process.env, AMQP_URL: `amqp://127.0.0.1:${peer.port}`, AUDIENCE: 'hub', SAS: 'a token' };
  const { stdout } = await run(process.execPath, [join(folder, 'example.mjs')], { env, timeout: 15_000 });
  expect(stdout).toContain('accepted\n');
  expect(stdout).toContain('fault: delivery amqp:link:message-size-exceeded');
  expect(stdout).toMatch(/^bad-request amqp:link:message-size-exceeded executed: no - \S/m);
});

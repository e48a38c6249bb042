import type { ServerResponse } from 'node:http';
import type { Cloud } from '../state/cloud.ts';

/** Send what happens as server-sent events, until the client goes. Slow readers miss some. */
export function streamEvents(response: ServerResponse, cloud: Cloud): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const write = (name: string, data: object) => {
    if (response.writableNeedDrain) return;
    response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const off = [
    cloud.log.recorded.on((entry) => write('request', entry)),
    cloud.connections.opened.on(({ identity, transport }) => write('connect', { ...identity, transport })),
    cloud.connections.closed.on(({ identity, transport, ended }) =>
      write('disconnect', { ...identity, transport, ended }),
    ),
  ];
  response.once('close', () => {
    for (const stop of off) stop();
  });
}

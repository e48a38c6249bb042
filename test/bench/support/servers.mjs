// The servers of emulator.bench.mjs, one per process: the emulator, a bare node:http server with
// the same body, aedes.
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { startEmulator } from '@faultmap/emulator';
import { Aedes } from 'aedes';

const DEVICES = 2_000;

/** A device document as the emulator answers it. */
const DOCUMENT = JSON.stringify({
  deviceId: 'device1',
  generationId: '1795598468485000000',
  etag: 'MTAwMDAwMDAx',
  connectionState: 'Disconnected',
  connectionStateUpdatedTime: '0001-01-01T00:00:00Z',
  lastActivityTime: '0001-01-01T00:00:00Z',
  cloudToDeviceMessageCount: 0,
  authentication: {
    symmetricKey: { primaryKey: 'A'.repeat(44), secondaryKey: 'B'.repeat(44) },
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    type: 'sas',
  },
  status: 'enabled',
  statusReason: null,
  statusUpdatedTime: '0001-01-01T00:00:00Z',
  capabilities: { iotEdge: false },
});

const port = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', 4096, () => resolve(server.address().port)));

const kinds = {
  async emulator() {
    const ids = Array.from({ length: DEVICES }, (_, index) => `device${index + 1}`);
    const emulator = await startEmulator({ devices: ids, throttle: false, dailyMessages: Number.POSITIVE_INFINITY });
    const connect = (deviceId) => ({
      clientId: deviceId,
      username: `${emulator.state.hostName}/${deviceId}/?api-version=2021-04-12`,
      password: emulator.deviceToken(deviceId),
    });
    return {
      ready: {
        http: Number(new URL(emulator.httpUrl).port),
        mqtt: Number(new URL(emulator.mqttUrl).port),
        amqp: Number(new URL(emulator.amqpUrl).port),
        hostName: emulator.state.hostName,
        token: emulator.serviceToken(),
        deviceToken: emulator.deviceToken('device1'),
        connects: ids.map(connect),
      },
      connections: () => emulator.connections,
    };
  },
  async bare() {
    const server = createHttp((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method === 'POST') return response.writeHead(204).end();
        response.writeHead(200, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': DOCUMENT.length,
        });
        response.end(DOCUMENT);
      });
    });
    return { ready: { http: await port(server) }, connections: () => 0 };
  },
  async aedes() {
    const broker = await Aedes.createBroker();
    const server = createTcp(broker.handle);
    const connects = Array.from({ length: 8 }, (_, index) => ({
      clientId: `device${index + 1}`,
      username: 'user',
      password: 'secret',
    }));
    return { ready: { mqtt: await port(server), connects }, connections: () => broker.connectedClients };
  },
};

const { ready, connections } = await kinds[process.argv[2]]();
process.on('message', async (question) => {
  if (question === 'connections') process.send(connections());
  else if (question === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  } else {
    for (let round = 0; round < 4; round += 1) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.send({ rss: process.memoryUsage.rss(), heap: process.memoryUsage().heapUsed });
  }
});
process.on('disconnect', () => process.exit());
process.send(ready);

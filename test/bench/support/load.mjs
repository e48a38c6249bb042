// Load over raw sockets: cheap enough that the server is what is measured.
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';

const SOCKETS = 16;
const WINDOW = 64;

/** What flood sends over one socket: how to begin, one operation, and how many answers came. */

/** Keep-alive requests, one after the other. */
export function httpRequests(method, path, token, body = '') {
  const head = `${method} ${path}?api-version=2021-04-12 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${token}\r\n`;
  const request = Buffer.from(`${head}content-length: ${body.length}\r\n\r\n${body}`);
  return () => {
    let seen = '';
    return {
      hello: undefined,
      operation: () => request,
      window: 1,
      answers(chunk) {
        seen += chunk.latin1Slice();
        let count = 0;
        for (;;) {
          const end = seen.indexOf('\r\n\r\n');
          if (end < 0) return count;
          const status = seen.slice(9, 12);
          if (status !== '200' && status !== '204') throw new Error(seen);
          const length = Number(/content-length: (\d+)/i.exec(seen.slice(0, end))?.[1] ?? 0);
          if (seen.length < end + 4 + length) return count;
          seen = seen.slice(end + 4 + length);
          count += 1;
        }
      },
    };
  };
}

/** PUBLISH with QoS 1, one client per credentials, each with a window of them in flight. */
export function mqttPublishes(connects, payload) {
  let next = 0;
  const make = () => publisher(connects[next++ % connects.length], payload);
  make.sockets = connects.length;
  return make;
}

function publisher(credentials, payload) {
  const topic = `devices/${credentials.clientId}/messages/events/a=b`;
  const one = (messageId) => generate({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false });
  const packets = Array.from({ length: WINDOW }, (_, index) => one(index + 1));
  let at = 0;
  let rest = 0;
  let connack = false;
  return {
    hello: hello(credentials),
    operation: () => packets[at++ % packets.length],
    window: WINDOW,
    answers(chunk) {
      let length = chunk.length;
      if (!connack) {
        if (chunk[0] !== 0x20 || chunk[3] !== 0) throw new Error(`CONNACK ${chunk.toString('hex')}`);
        connack = true;
        length -= 4;
        this.begin();
      }
      rest += length;
      const count = Math.floor(rest / 4); // every PUBACK has four bytes
      rest %= 4;
      return count;
    },
  };
}

function hello({ clientId, username, password }) {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: 600,
    username,
    password,
  });
}

/** Ask as fast as answers come, over some sockets at once. */
export async function flood(port, make, ms) {
  const sockets = make.sockets ?? SOCKETS;
  const counts = await Promise.all(Array.from({ length: sockets }, () => floodOne(port, make(), ms)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function floodOne(port, side, ms) {
  const { hello: first, operation, window } = side;
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let count = 0;
    let over = false;
    const send = (many) => {
      if (many > 0) socket.write(Buffer.concat(Array.from({ length: many }, operation)));
    };
    // Brokers queue few packets before their CONNACK: the window opens after it.
    side.begin = () => send(window);
    const timer = setTimeout(() => {
      over = true;
      socket.destroy();
      resolve(count);
    }, ms);
    socket.on('connect', () => {
      if (first) socket.write(first);
      else send(window);
    });
    socket.on('data', (chunk) => {
      if (over) return;
      const done = side.answers(chunk);
      count += done;
      send(done);
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Hold connections of as many devices; all are accepted before it resolves. */
export async function holdMqtt({ mqtt: port, connects }, count) {
  const sockets = [];
  for (let from = 0; from < count; from += 100) {
    const opened = connects.slice(from, Math.min(from + 100, count)).map(
      (credentials) =>
        new Promise((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => socket.write(hello(credentials)));
          socket.once('data', (chunk) => (chunk[3] === 0 ? resolve(socket) : reject(new Error(`CONNACK ${chunk[3]}`))));
          socket.once('error', reject);
        }),
    );
    sockets.push(...(await Promise.all(opened)));
  }
  return {
    count: sockets.length,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
  };
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

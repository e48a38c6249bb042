// AMQP clients on rhea: to hold connections, and to come, send, receive, settle and go in a soak.
import rhea from 'rhea';

/** A connection that came in with a token: put on $cbs, or as the password of SASL PLAIN. */
async function open({ amqp: port, hostName }, who) {
  const connection = rhea.create_container().create_connection({
    host: '127.0.0.1',
    port,
    reconnect: false,
    ...(who.user ? { username: who.user, password: who.token } : {}),
  });
  connection.on('connection_error', () => {}); // followed by a close
  connection.connect();
  await next(connection, 'connection_open');
  if (!who.user) await putToken(connection, who.token, who.audience ?? hostName);
  return connection;
}

async function putToken(connection, token, audience) {
  const answers = connection.open_receiver({ source: '$cbs' });
  const sender = connection.open_sender('$cbs');
  const answer = next(answers, 'message');
  await next(sender, 'sendable');
  sender.send({
    message_id: '1',
    reply_to: 'cbs',
    application_properties: { operation: 'put-token', type: 'servicebus.windows.net:sastoken', name: audience },
    body: token,
  });
  const { message } = await answer;
  const status = message.application_properties['status-code'];
  if (status !== 200) throw new Error(`CBS answered ${status}`);
}

const LIMIT_MS = 20_000;

/** The next event of a name; a connection that ends before fails it. */
function next(from, name) {
  const connection = from.connection ?? from;
  return new Promise((resolve, reject) => {
    const done = (settle, value) => {
      clearTimeout(timer);
      from.removeListener(name, onEvent);
      for (const end of ENDS) connection.removeListener(end, onEnd);
      settle(value);
    };
    const onEvent = (context) => done(resolve, context);
    const onEnd = ({ error }) => done(reject, error ?? new Error(`The connection ended before ${name}`));
    const timer = setTimeout(() => done(reject, new Error(`No ${name} in ${LIMIT_MS} ms`)), LIMIT_MS);
    from.on(name, onEvent);
    for (const end of ENDS) connection.on(end, onEnd);
  });
}

const ENDS = ['disconnected', 'connection_close'];

async function close(connection) {
  const closed = next(connection, 'connection_close');
  connection.close();
  await closed;
}

const deviceBy = (server, { clientId, password }) => ({
  token: password,
  audience: `${server.hostName}/devices/${clientId}`,
});

/** Hold connections of as many devices, each with a token and a link to send by. */
export async function holdAmqp(server, count) {
  const connections = [];
  for (let from = 0; from < count; from += 50) {
    const opened = server.connects.slice(from, Math.min(from + 50, count)).map(async (connect) => {
      const connection = await open(server, deviceBy(server, connect));
      await next(connection.open_sender(`/devices/${connect.clientId}/messages/events`), 'sendable');
      return connection;
    });
    connections.push(...(await Promise.all(opened)));
  }
  return {
    count: connections.length,
    close: async () => {
      await Promise.all(connections.map(close));
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
  };
}

const MESSAGES = 5;

/** Devices come, send, receive what a service sends them, settle and go, for a time; returns how many did. */
export async function amqpVisits(server, connects, ms) {
  const until = performance.now() + ms;
  const service = await open(server, { token: server.token });
  const toDevices = service.open_sender('/messages/devicebound');
  await next(toDevices, 'sendable');
  let visits = 0;
  const visitor = async (connect) => {
    while (performance.now() < until) {
      // With a token put on $cbs and with SASL PLAIN, in turn.
      const user = visits % 2 === 0 ? undefined : `${connect.clientId}@sas.${server.hostName}`;
      await visit(server, { connect, user, toDevices });
      visits += 1;
    }
  };
  await Promise.all(connects.map(visitor));
  await close(service);
  return visits;
}

async function visit(server, { connect: { clientId, password }, user, toDevices }) {
  const who = user ? { user, token: password } : deviceBy(server, { clientId, password });
  const connection = await open(server, who);
  const address = `/devices/${clientId}/messages`;
  const sender = connection.open_sender(`${address}/events`);
  await next(sender, 'sendable');
  for (let n = 0; n < MESSAGES; n += 1) {
    const accepted = next(sender, 'accepted');
    sender.send({ body: rhea.message.data_section(Buffer.alloc(100)) });
    await accepted;
  }
  const receiver = connection.open_receiver({ source: `${address}/devicebound`, autoaccept: false });
  const arrived = next(receiver, 'message');
  toDevices.send({ message_id: `to-${clientId}`, to: `${address}/devicebound`, body: 'hello' });
  (await arrived).delivery.accept();
  await close(connection);
}

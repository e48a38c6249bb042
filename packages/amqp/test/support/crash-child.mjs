// Run by the tests of what an unheard error does: connects, waits, and says whether it is still alive.
import { attachAmqp } from '@faultmap/amqp';
import rhea from 'rhea';

const [port, mode, kind] = process.argv.slice(2);
const container = rhea.create_container();
const connection = container.connect({
  host: '127.0.0.1',
  port: Number(port),
  ...(kind === 'sasl' && { username: 'dev', password: 'wrong' }),
});
if (mode !== 'bare') {
  const reconnect = { baseDelayMs: 1e6, maxDelayMs: 1e6 };
  const handle = attachAmqp(connection, { keepAlive: mode === 'keepAlive', reconnect, random: () => 0.9 });
  handle.on('fault', ({ error }) => console.log(`fault ${error.scope} ${error.category}`));
}
if (kind === 'error-listener') connection.on('error', () => console.log('error heard'));
if (kind === 'listener-throws')
  connection.on('connection_open', () => {
    throw new TypeError('a bug of the application');
  });
connection.open_sender('q');
// Long enough for what follows the peer's OPEN, or for what comes instead of one.
const until = Date.now() + 2_500;
const looking = setInterval(() => {
  if (!connection.remote.open && Date.now() < until) return;
  clearInterval(looking);
  setTimeout(() => {
    console.log('alive');
    process.exit(0);
  }, 700);
}, 20);

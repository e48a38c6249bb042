import rhea, {
  type Connection,
  type ConnectionOptions,
  type Delivery,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
} from 'rhea';
import { afterEach } from 'vitest';
import type { Emulator } from '../../src/index.ts';

/** What an error record looks like on the client. */
export interface SeenError {
  readonly condition?: string;
  readonly description?: string;
  readonly info?: Readonly<Record<string, unknown>>;
}

/** How a delivery ended at its sender. */
export interface Settled {
  readonly outcome: 'accepted' | 'rejected' | 'released' | 'modified';
  readonly error?: SeenError | undefined;
}

const OUTCOMES = ['accepted', 'rejected', 'released', 'modified'] as const;

/** A rhea client that turns what it sees into promises, and hears everything, so that nothing ends the process. */
export class Client {
  readonly connection: Connection;
  readonly seen: string[] = [];
  readonly #waiting: { name: string; resolve: (context: EventContext) => void }[] = [];

  constructor(options: ConnectionOptions) {
    const container = rhea.create_container();
    this.connection = container.create_connection({ reconnect: false, ...options });
    for (const name of EVENTS) {
      this.connection.on(name, (context: EventContext) => {
        this.seen.push(name);
        for (const one of [...this.#waiting]) {
          if (one.name !== name) continue;
          this.#waiting.splice(this.#waiting.indexOf(one), 1);
          one.resolve(context);
        }
      });
    }
    this.connection.connect();
  }

  static to(emulator: Emulator, more: Partial<ConnectionOptions> = {}): Client {
    const { hostname, port } = new URL(emulator.amqpUrl);
    return new Client({ host: hostname, port: Number(port), ...more } as ConnectionOptions);
  }

  /** A connected client that put the token of a device. */
  static async device(emulator: Emulator, deviceId = 'device1'): Promise<Client> {
    const client = Client.to(emulator);
    const { status } = await client.putToken(emulator.deviceToken(deviceId), `127.0.0.1/devices/${deviceId}`);
    if (status !== 200) throw new Error(`CBS answered ${status}`);
    return client;
  }

  static async service(emulator: Emulator): Promise<Client> {
    const client = Client.to(emulator);
    await client.putToken(emulator.serviceToken(), '127.0.0.1');
    return client;
  }

  /** The next event of a name. */
  next(name: string): Promise<EventContext> {
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  async putToken(token: string, audience: string): Promise<{ status: number; description: string }> {
    const answer = await this.request('$cbs', {
      message_id: rhea.generate_uuid(),
      reply_to: 'cbs',
      application_properties: { operation: 'put-token', type: 'servicebus.windows.net:sastoken', name: audience },
      body: token,
    });
    const { 'status-code': status, 'status-description': description } = answer.application_properties ?? {};
    return { status, description };
  }

  #pairs = new Map<string, { sender: Sender; receiver: Receiver }>();

  /** Send a request on a pair of links to an address and wait for the answer with its correlation id. */
  async request(address: string, message: Message): Promise<Message> {
    let pair = this.#pairs.get(address);
    if (!pair) {
      const properties = { 'com.microsoft:channel-correlation-id': `test:${address}` };
      pair = {
        sender: this.connection.open_sender({ target: address, properties } as never),
        receiver: this.connection.open_receiver({ source: address, properties } as never),
      };
      this.#pairs.set(address, pair);
    }
    const id = String(message.correlation_id ?? message.message_id);
    const answer = new Promise<Message>((resolve) => {
      const listener = ({ message: got }: EventContext) => {
        if (String(got?.correlation_id) !== id) return;
        pair.receiver.off('message', listener);
        resolve(got as Message);
      };
      pair.receiver.on('message', listener);
    });
    await this.credit(pair.sender);
    pair.sender.send(message);
    return answer;
  }

  twin(address: string, operation: string, resource?: string, body = ' '): Promise<Message> {
    return this.request(address, {
      correlation_id: rhea.generate_uuid(),
      message_annotations: { operation, ...(resource && { resource }) },
      body: rhea.message.data_section(Buffer.from(body)),
    });
  }

  /** The next message on an address's answer link that answers nothing. */
  pushed(address: string): Promise<Message> {
    const receiver = this.#pairs.get(address)?.receiver;
    return new Promise((resolve) => {
      receiver?.on('message', ({ message }: EventContext) => {
        if (message && message.correlation_id === undefined) resolve(message);
      });
    });
  }

  /** Whatever comes on an address's answer link from now on. */
  answers(address: string, listener: (message: Message | undefined) => void): void {
    this.#pairs.get(address)?.receiver.on('message', ({ message }: EventContext) => listener(message));
  }

  credit(sender: Sender): Promise<void> {
    return sender.sendable() ? Promise.resolve() : new Promise((resolve) => sender.once('sendable', () => resolve()));
  }

  /** Send and wait for the outcome. */
  async send(sender: Sender, message: Message): Promise<Settled> {
    await this.credit(sender);
    const delivery = sender.send(message);
    return new Promise((resolve) => {
      const listeners = OUTCOMES.map((outcome) => {
        const listener = (context: EventContext) => {
          // rhea raises `released` for a modified delivery too, first.
          if (context.delivery !== delivery || (outcome === 'released' && isModified(delivery))) return;
          for (const [name, one] of listeners) sender.off(name, one);
          const { error } = (delivery.remote_state ?? {}) as { error?: SeenError };
          resolve({ outcome, error });
        };
        sender.on(outcome, listener);
        return [outcome, listener] as const;
      });
    });
  }

  /** A receiver that settles nothing itself; messages are handed out one by one. */
  receive(source: string, options: object = {}): { link: Receiver; next: () => Promise<EventContext> } {
    const link = this.connection.open_receiver({ source, autoaccept: false, ...options } as never);
    const queue: EventContext[] = [];
    const waiting: ((context: EventContext) => void)[] = [];
    link.on('message', (context: EventContext) => {
      const first = waiting.shift();
      if (first) first(context);
      else queue.push(context);
    });
    const next = () => {
      const ready = queue.shift();
      return ready ? Promise.resolve(ready) : new Promise<EventContext>((resolve) => waiting.push(resolve));
    };
    return { link, next };
  }

  /** Settle as a receiver that settles second, and wait for the sender's word. */
  settleSecond(link: Receiver, delivery: Delivery): Promise<SeenError | undefined> {
    return new Promise((resolve) => {
      link.on('settled', (context: EventContext) => {
        if (context.delivery === delivery) resolve((delivery.remote_state as { error?: SeenError } | undefined)?.error);
      });
      delivery.accept();
    });
  }

  async close(): Promise<void> {
    if (!this.connection.is_open()) return;
    const closed = this.next('connection_close');
    this.connection.close();
    await closed;
  }
}

/**
 * Clients of the emulator of each test. After it those that are left are closed, then the emulator
 * is stopped.
 */
export function useClients(emulator: () => Emulator) {
  const clients: Client[] = [];
  const keep = (client: Client): Client => {
    clients.push(client);
    return client;
  };
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await emulator().stop();
  });
  return {
    open: (options?: Partial<ConnectionOptions>) => keep(Client.to(emulator(), options)),
    device: async (deviceId?: string) => keep(await Client.device(emulator(), deviceId)),
    service: async () => keep(await Client.service(emulator())),
    /** They would not answer a close. */
    forget: () => void clients.splice(0),
  };
}

function isModified(delivery: Delivery): boolean {
  return 'delivery_failed' in ((delivery.remote_state as object | undefined) ?? {});
}

export function bodyText(message: Message | undefined): string {
  const { body } = message ?? {};
  const content = (body as { content?: unknown } | undefined)?.content ?? body;
  return Buffer.isBuffer(content) ? content.toString('utf8') : String(content);
}

const EVENTS = [
  'accepted',
  'connection_open',
  'connection_error',
  'connection_close',
  'disconnected',
  'protocol_error',
  'error',
  'session_error',
  'session_close',
  'sender_error',
  'sender_close',
  'receiver_error',
  'receiver_close',
];

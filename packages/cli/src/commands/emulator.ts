import { writeFile } from 'node:fs/promises';
import { redact } from '@faultmap/core/adapter';
import { type Emulator, type EmulatorOptions, type LogEntry, startEmulator } from '@faultmap/emulator';
import { type Colors, colorsFor, EXIT, type Io, UsageError, write } from '../io.ts';

export interface EmulatorCommandOptions {
  readonly host: string;
  readonly devices: string;
  readonly transports: string;
  /** `name=number`, repeated. */
  readonly port?: readonly string[];
  readonly hostName?: string;
  readonly tls?: boolean;
  /** Where to write the certificate to trust. */
  readonly caFile?: string;
  readonly auth: boolean;
  readonly throttle: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly color: boolean;
}

/** `faultmap emulator`: a device cloud on this machine, until it is interrupted. */
export async function emulator(options: EmulatorCommandOptions, io: Io): Promise<number> {
  const interrupted = io.interrupted();
  const running = await start(toEmulatorOptions(options));
  try {
    if (options.caFile !== undefined) await writeCa(options.caFile, running.ca ?? '');
    await write(io.stdout, options.json ? asJson(running) : asText(running, colorsFor(io, options.color)));
    const counts = watch(running, options, io);
    await interrupted;
    await write(
      io.stdout,
      options.json ? `${JSON.stringify({ event: 'stopped', counts: counts() })}\n` : ending(counts()),
    );
  } finally {
    await running.stop();
  }
  return EXIT.ok;
}

async function start(options: EmulatorOptions): Promise<Emulator> {
  try {
    return await startEmulator(options);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const { message } = error as Error;
    if (code === 'EADDRINUSE') throw new UsageError(`a port is in use: ${message}`);
    if (code === 'EACCES') throw new UsageError(`--port: not permitted here: ${message}`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      throw new UsageError(`--host: expected an address of this machine: ${message}`);
    throw error instanceof TypeError ? new UsageError(inOurWords(message)) : error;
  }
}

/** The emulator's name of an option, as it is called here. */
const OPTIONS: Readonly<Record<string, string>> = {
  host: '--host',
  hostName: '--host-name',
  devices: '--devices',
  transports: '--transports',
  ports: '--port',
};

/** `startEmulator: devices[0].deviceId: expected …` → `--devices: expected …`. */
function inOurWords(message: string): string {
  return message.replace(/^startEmulator: (\w+)[^:]*/, (all, name: string) => OPTIONS[name] ?? all);
}

function toEmulatorOptions(options: EmulatorCommandOptions): EmulatorOptions {
  const tls = options.tls === true || options.caFile !== undefined;
  const ports = (options.port ?? []).map(portOf);
  for (const [name] of ports) checkServed(name, list(options.transports), tls);
  return {
    host: options.host,
    hostName: options.hostName,
    devices: list(options.devices),
    transports: list(options.transports) as NonNullable<EmulatorOptions['transports']>,
    tls,
    auth: options.auth ? 'sas' : 'none',
    ports: Object.fromEntries(ports),
    throttle: options.throttle ? undefined : false,
  };
}

async function writeCa(path: string, pem: string): Promise<void> {
  try {
    await writeFile(path, pem);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as { code?: string }).code ?? 'unknown reason'}`);
  }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** A port for what is not started would be ignored without a word. */
function checkServed(name: string, transports: readonly string[], tls: boolean): void {
  const transport = name.replace(/s$/, '');
  if (!transports.includes(transport))
    throw new UsageError(`--port: expected a port of --transports ${transports.join(',')}, got ${name}`);
  if (name !== transport && !tls) throw new UsageError(`--port: expected --tls with a port for ${name}`);
}

function portOf(text: string): readonly [name: string, port: number] {
  const [, name = '', port = ''] = /^(https?|mqtts?|amqps?)=(\d{1,5})$/.exec(text) ?? [];
  if (name === '' || Number(port) > 65_535)
    throw new UsageError(`--port: expected for instance mqtt=1883, got ${JSON.stringify(redact(text).slice(0, 40))}`);
  return [name, Number(port)];
}

/*
 * Keys are printed here on purpose: the emulator made them for this run, and a connection string is
 * what a user of it needs.
 */
function asText(running: Emulator, colors: Colors): string {
  const row = (label: string, value: string) => `  ${colors.dim(label.padEnd(9))}${value}`;
  const lines = [
    colors.bold('faultmap emulator'),
    ...Object.entries(running.urls).map(([name, url]) => row(name, url)),
    ...(running.controlUrl === '' ? [] : [row('control', running.controlUrl)]),
    '',
    'Connection strings, keys made for this run:',
    row('service', running.serviceConnectionString),
    ...(running.amqpUrl === '' ? [] : [row('events', running.eventHubConnectionString)]),
    ...running.devices.map(({ deviceId }) => row(deviceId, running.connectionString(deviceId))),
    '',
    ...(running.controlUrl === '' ? [] : ['Inject a fault:', `  ${example(running.controlUrl)}`]),
    'Ctrl-C ends it.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** Quoted for a shell: the path has a dollar sign in it. */
function example(controlUrl: string): string {
  return `curl '${controlUrl}/faults' -d '{"transport":"http","fault":{"code":429001},"times":3,"retryAfterS":1}'`;
}

function asJson(running: Emulator): string {
  const devices = Object.fromEntries(
    running.devices.map(({ deviceId }) => [deviceId, running.connectionString(deviceId)]),
  );
  const { urls, controlUrl: control, ca, serviceConnectionString: service } = running;
  const events = running.amqpUrl === '' ? undefined : running.eventHubConnectionString;
  return `${JSON.stringify({ event: 'started', urls, control, service, events, devices, ca })}\n`;
}

/** Print each thing a client does. @returns the counts so far, by operation and outcome */
function watch(running: Emulator, options: EmulatorCommandOptions, io: Io): () => Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const colors = colorsFor(io, options.color);
  // A reader that cannot keep up loses lines, not the counts: the emulator must not wait for it.
  const tell = (event: object, line: string) => {
    if (options.quiet || io.stdout.writableNeedDrain) return;
    io.stdout.write(options.json ? `${JSON.stringify(event)}\n` : line);
  };
  running.on('request', (entry) => {
    const key = `${entry.transport} ${entry.operation} ${entry.outcome}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    tell({ event: 'request', count, ...entry }, eventLine(entry, count, colors));
  });
  running.on('disconnect', ({ identity, transport }) => {
    const entry = { at: Date.now(), transport, operation: 'disconnected', ...identity, outcome: '' };
    tell({ event: 'disconnect', transport, ...identity }, eventLine(entry, 1, colors));
  });
  return () => Object.fromEntries(counts);
}

function eventLine(entry: LogEntry, count: number, colors: Colors): string {
  const time = new Date(entry.at).toISOString().slice(11, 23);
  const whom = [entry.deviceId, entry.moduleId].filter(Boolean).join('/');
  const what = `${colors.dim(time)} ${entry.transport.padEnd(4)} ${entry.operation.padEnd(18)} ${whom.padEnd(16)}`;
  return `${what} ${outcomeOf(entry, colors)}${count > 1 ? ` ×${count}` : ''}\n`;
}

function outcomeOf({ outcome, scripted }: LogEntry, colors: Colors): string {
  if (outcome === 'ok' || outcome === '') return colors.green(outcome);
  return colors.red(scripted ? `${outcome} (injected)` : outcome);
}

function ending(counts: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counts).map(([key, count]) => `  ${String(count).padStart(6)}  ${key}`);
  return `\n${lines.length === 0 ? 'Stopped; nobody asked for anything.' : `Stopped. Counts:\n${lines.join('\n')}`}\n`;
}

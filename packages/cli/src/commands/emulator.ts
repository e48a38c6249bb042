import { type Emulator, type EmulatorOptions, type LogEntry, startEmulator } from '@faultmap/emulator';
import { type Control, startControl } from '../control.ts';
import { type Colors, colorsFor, EXIT, type Io, UsageError, write } from '../io.ts';

export interface EmulatorCommandOptions {
  readonly host: string;
  readonly devices: string;
  readonly transports: string;
  readonly httpPort?: string;
  readonly mqttPort?: string;
  readonly amqpPort?: string;
  readonly controlPort?: string;
  readonly tls?: boolean;
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
    const control = await startControl(running, { host: options.host, port: portOf(options.controlPort) ?? 0 });
    try {
      await write(
        io.stdout,
        options.json ? asJson(running, control) : asText(running, control, colorsFor(io, options.color)),
      );
      const counts = watch(running, options, io);
      await interrupted;
      await write(
        io.stdout,
        options.json ? `${JSON.stringify({ event: 'stopped', counts: counts() })}\n` : ending(counts()),
      );
    } finally {
      await control.stop();
    }
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
    if (code === 'EADDRINUSE') throw new UsageError(`a port is in use: ${(error as Error).message}`);
    throw error;
  }
}

function toEmulatorOptions(options: EmulatorCommandOptions): EmulatorOptions {
  const http = portOf(options.httpPort);
  const mqtt = portOf(options.mqttPort);
  const amqp = portOf(options.amqpPort);
  return {
    host: options.host,
    devices: list(options.devices),
    transports: list(options.transports) as NonNullable<EmulatorOptions['transports']>,
    tls: options.tls === true,
    auth: options.auth ? 'sas' : 'none',
    ports: {
      ...(http !== undefined && { http }),
      ...(mqtt !== undefined && { mqtt }),
      ...(amqp !== undefined && { amqp }),
    },
    ...(options.throttle ? {} : { throttle: false as const }),
  };
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`a port: expected a number from 0 to 65535, got ${JSON.stringify(text.slice(0, 20))}`);
  return Number(text);
}

/*
 * Keys are printed here on purpose: the emulator made them for this run, and a connection string is
 * what a user of it needs.
 */
function asText(running: Emulator, control: Control, colors: Colors): string {
  const row = (label: string, value: string) => `  ${colors.dim(label.padEnd(9))}${value}`;
  const lines = [
    colors.bold('faultmap emulator'),
    ...Object.entries(running.urls).map(([name, url]) => row(name, url)),
    row('control', control.url),
    ...(running.ca === undefined ? [] : [row('CA', `${control.url}/ca`)]),
    '',
    'Connection strings, keys made for this run:',
    row('service', running.serviceConnectionString),
    ...running.devices.map(({ deviceId }) => row(deviceId, running.connectionString(deviceId))),
    '',
    'Inject a fault:',
    `  curl -X POST ${control.url}/faults -d '{"transport":"http","fault":{"code":429001},"times":3,"retryAfterS":1}'`,
    'Ctrl-C ends it.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function asJson(running: Emulator, control: Control): string {
  const devices = Object.fromEntries(
    running.devices.map(({ deviceId }) => [deviceId, running.connectionString(deviceId)]),
  );
  const { urls, serviceConnectionString: service } = running;
  return `${JSON.stringify({ event: 'started', urls: { ...urls, control: control.url }, service, devices })}\n`;
}

/** Print each thing a client does. @returns the counts so far, by operation and outcome */
function watch(running: Emulator, options: EmulatorCommandOptions, io: Io): () => Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const colors = colorsFor(io, options.color);
  running.log.recorded.on((entry) => {
    const key = `${entry.transport} ${entry.operation} ${entry.outcome}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    // A reader that cannot keep up loses lines, not the counts: the emulator must not wait for it.
    if (options.quiet || io.stdout.writableNeedDrain) return;
    io.stdout.write(
      options.json ? `${JSON.stringify({ event: 'request', count, ...entry })}\n` : eventLine(entry, count, colors),
    );
  });
  return () => Object.fromEntries(counts);
}

function eventLine(entry: LogEntry, count: number, colors: Colors): string {
  const time = new Date(entry.at).toISOString().slice(11, 23);
  const outcome =
    entry.outcome === 'ok' ? colors.green('ok') : colors.red(`${entry.outcome}${entry.scripted ? ' (injected)' : ''}`);
  const whom = [entry.deviceId, entry.moduleId].filter(Boolean).join('/');
  return `${colors.dim(time)} ${entry.transport.padEnd(4)} ${entry.operation.padEnd(18)} ${whom.padEnd(16)} ${outcome} ×${count}\n`;
}

function ending(counts: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counts).map(([key, count]) => `  ${String(count).padStart(6)}  ${key}`);
  return `\n${lines.length === 0 ? 'Stopped; nobody asked for anything.' : `Stopped. Counts:\n${lines.join('\n')}`}\n`;
}

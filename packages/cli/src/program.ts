import { createRequire } from 'node:module';
import { redact } from '@faultmap/core/adapter';
import { Command, CommanderError, Option } from 'commander';
import { codes } from './commands/codes.ts';
import { explain } from './commands/explain.ts';
import { scan } from './commands/scan.ts';
import { EXIT, type Io, ReaderGone, UsageError, watchOutput } from './io.ts';
import { reasonOf } from './lines.ts';

const EXIT_CODES = `
Exit codes:
    0  done
    1  done, but a line could not be read, or nothing is known of what was asked
    2  wrong use: an unknown command or option, a file that cannot be read, a port in use
  130  interrupted; scan tells what it has counted
`;

/**
 * Run the program. Writes to the given streams only; never ends the process and never throws.
 *
 * @param argv - arguments, without `node` and the script
 * @returns the exit code
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const failure = watchOutput(io.stdout);
  const exitCode = await runProgram(argv, io);
  const failed = await failure();
  return failed ? ended(new UsageError(`cannot write the output: ${reasonOf(failed)}`), io) : exitCode;
}

async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = build(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return ended(error, io);
  }
}

function ended(error: unknown, io: Io): number {
  if (error instanceof ReaderGone) return EXIT.ok;
  // Commander has printed its own line; help and version end so as well, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const message = error instanceof Error ? error.message : String(error);
  io.stderr.write(`faultmap: ${redact(message).replace(/\s+/g, ' ')}\n`);
  return error instanceof UsageError ? error.exitCode : EXIT.usage;
}

type Ended = (code: number) => void;

function build(io: Io, end: Ended): Command {
  const program = new Command('faultmap')
    .description('Explain faults of device clouds, scan logs for them, list codes, run an emulator.')
    .version(version())
    // Of the program, so that it may stand before the command and behind it.
    .addOption(new Option('--no-color', 'no colours; there are none into a pipe and with NO_COLOR set either'))
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(redact(text)),
      outputError: (text, out) =>
        out(
          `faultmap: ${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\s*\n\s*/g, ' ')}\n`,
        ),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const add of [addExplain, addScan, addCodes, addEmulator]) add(program, io, end);
  return program;
}

/** A command that prints for people, or JSON. */
function command(program: Command, usage: string, description: string): Command {
  return program.command(usage).description(description).addHelpText('after', EXIT_CODES);
}

/** A command's own options with those of the program. */
function optionsOf<T extends object>(program: Command, own: T): T & { readonly color: boolean } {
  return { ...own, ...program.opts<{ color: boolean }>() };
}

function addExplain(program: Command, io: Io, end: Ended): void {
  command(
    program,
    'explain [input...]',
    'Say what a code, a name or a raw error means: as text, JSON, a file, or - (standard input)',
  )
    .option('-f, --file <path>', 'read the error from a file')
    .option('--json', 'print JSON')
    .option('--jsonl', 'read one object a line, { id?, transport, input }, and print one line each')
    .action(async (words: string[], own) => end(await explain(words, optionsOf(program, own), io)));
}

function addScan(program: Command, io: Io, end: Ended): void {
  command(program, 'scan [files...]', 'Count the faults in log files, or in standard input')
    .option('--json', 'print JSON')
    .action(async (files: string[], own) => end(await scan(files, optionsOf(program, own), io)));
}

function addCodes(program: Command, io: Io, end: Ended): void {
  command(program, 'codes', 'List the codes of the catalogue')
    .option('--transport <name>', 'only codes known to occur over http, mqtt or amqp')
    .option('--category <name>', 'only codes of a category')
    .option('--catalogue <name>', 'only iot-hub or dps')
    .option('--retried', 'only codes that the default policy repeats')
    .option('--json', 'print JSON, with texts and sources')
    .option('--markdown', 'print a Markdown table')
    .action(async (own) => end(await codes(optionsOf(program, own), io)));
}

function addEmulator(program: Command, io: Io, end: Ended): void {
  command(program, 'emulator', 'Run a small device cloud on this machine until Ctrl-C')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--devices <ids>', 'devices to begin with, separated by commas', 'device1')
    .option('--transports <names>', 'http, mqtt, amqp: which to start', 'http,mqtt,amqp')
    .option('--port <name=number...>', 'fixed ports instead of free ones: http, https, mqtt, mqtts, amqp, amqps')
    .option('--host-name <name>', 'name of the cloud in connection strings (default: the address)')
    .option('--tls', 'TLS endpoints as well, with a certificate made at start')
    .option('--ca-file <path>', 'write the certificate to trust there (implies --tls)')
    .option('--no-auth', 'let everybody in as whom they say')
    .option('--no-throttle', 'no rate limits')
    .option('--quiet', 'do not print what clients do')
    .option('--json', 'print endpoints and events as JSON, one object a line')
    .action(async (own) => {
      // Most of what there is to load, and the other commands need none of it.
      const { emulator } = await import('./commands/emulator.ts');
      end(await emulator(optionsOf(program, own), io));
    });
}

function version(): string {
  const { version: own } = createRequire(import.meta.url)('@faultmap/cli/package.json') as { version: string };
  return own;
}

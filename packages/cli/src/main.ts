import { isGone } from './io.ts';
import { main } from './program.ts';

// A reader that went away (`| head`) is no failure, and nobody is left to write to.
process.stdout.on('error', (error) => {
  if (isGone(error)) process.exit(0);
});

/** The first Ctrl-C ends what runs in good order, a second one the process, as usual. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

const { stdin, stdout, stderr, env } = process;
process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted });

/** At INFO or below, or above it. */
export type Loudness = 'quiet' | 'loud';

/*
 * Names of levels as loggers write them, in lower case: whole, and in the three and four letters of
 * Serilog, zerolog, logrus and .NET's console. `http` is none in a text: Go's server begins its
 * errors so.
 */
const QUIET = 'trace|trac|trce|trc|verbose|vrb|silly|finest|finer|fine|debug|debu|dbug|dbg|information|info|inf';
const LOUD =
  'notice|warning|warn|wrn|error|erro|err|eror|fail|severe|critical|crit|crt|fatal|fata|ftl|panic|pani|alert|emerg|emergency';

/** All of them, as alternatives of an expression. */
export const NAMES = `${QUIET}|${LOUD}`;

const LOUDNESS: ReadonlyMap<string, Loudness> = new Map([
  ...[...QUIET.split('|'), 'informational', 'http', 'notset', 'i', 'd', 'v', 't'].map(
    (name) => [name, 'quiet'] as const,
  ),
  ...[...LOUD.split('|'), 'n', 'w', 'e', 'f', 'c', 'a'].map((name) => [name, 'loud'] as const),
]);

/** What a name of a level means, in any letter case; slog writes `DEBUG+2`. */
export function loudnessOf(name: string): Loudness | undefined {
  return LOUDNESS.get(name.toLowerCase().replace(/[+-]\d{1,2}$/, ''));
}

/** A severity of syslog [RFC 5424, 6.2.1]: 6 is info, 7 debug. */
export function loudnessOfSeverity(severity: number): Loudness {
  return severity >= 6 ? 'quiet' : 'loud';
}

import { loudnessInText } from './level-in-text.ts';
import { type Loudness, loudnessOf, loudnessOfSeverity } from './level-names.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Where loggers keep the level of a record. */
const LEVELS = [
  'level', // pino, winston, bunyan, zap, logrus, slog, log4j
  'severity', // Google Cloud
  'Level', // Serilog
  'LogLevel', // .NET's console
  '@l', // Serilog's compact form
  'levelname', // Python
  'log.level', // Elastic
  'severityLevel', // Application Insights
  'SeverityText',
  'severityText', // OpenTelemetry
  'lvl',
] as const;
/** Where they keep its text, which may have a level of its own. */
const TEXTS = ['MESSAGE', 'log', 'message', 'msg'] as const;

/** How loud the level of a record in JSON is; `undefined` where it has none. */
export function loudnessInRecord(record: Fields): Loudness | undefined {
  for (const key of LEVELS) {
    const value = record[key];
    const loudness =
      typeof value === 'string'
        ? loudnessOf(value)
        : typeof value === 'number'
          ? ofNumber(value, key, record)
          : undefined;
    if (loudness !== undefined) return loudness;
  }
  const { log } = record;
  if (typeof log === 'object' && log !== null) return loudnessInRecord(log as Fields);
  return ofOtherField(record) ?? ofText(record) ?? ofJournal(record);
}

function ofNumber(level: number, key: string, record: Fields): Loudness | undefined {
  // 0 is verbose, 1 information.
  if (key === 'severityLevel') return level <= 1 ? 'quiet' : 'loud';
  // GELF has the severity of syslog.
  if ('short_message' in record) return loudnessOfSeverity(level);
  // pino and bunyan: 30 is info.
  return level >= 10 ? (level <= 30 ? 'quiet' : 'loud') : undefined;
}

function ofOtherField(record: Fields): Loudness | undefined {
  const severity = record.SeverityNumber ?? record.severityNumber;
  // OpenTelemetry: up to 12 is info.
  if (typeof severity === 'number') return severity <= 12 ? 'quiet' : 'loud';
  // Serilog's compact form leaves Information out.
  return '@t' in record && ('@m' in record || '@mt' in record) && !('@x' in record) ? 'quiet' : undefined;
}

function ofText(record: Fields): Loudness | undefined {
  const text = TEXTS.map((key) => record[key]).find((value) => typeof value === 'string');
  return typeof text === 'string' ? loudnessInText(text) : undefined;
}

/** Whatever a service prints, errors too, comes at info by default: only what it said itself counts. */
function ofJournal({ PRIORITY, _TRANSPORT }: Fields): Loudness | undefined {
  if (typeof PRIORITY !== 'string' || !/^[0-7]$/.test(PRIORITY)) return undefined;
  return _TRANSPORT === 'stdout' && PRIORITY === '6' ? undefined : loudnessOfSeverity(Number(PRIORITY));
}

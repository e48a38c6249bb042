type Fields = Readonly<Record<string, unknown>>;

/** Where loggers keep the time of a record. */
const TIMES = ['time', 'timestamp', '@timestamp', 'ts', '@t', 'Timestamp', 'asctime', 'TimeGenerated', 'eventTime'];
/** `2026-03-01T10:00:05.123Z`, `2026/03/01 10:00:05`. */
const ISO = /\b(\d{4})([-/])(\d\d)\2(\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(Z|[+-]\d\d:?\d\d)?/;
/** `01/Mar/2026:10:00:05 +0000`, of web servers. */
const COMMON = /\b(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})/;

/** The entry's own time: a field of a JSON record, else the first time in the text that has a date. */
export function timeOf(text: string, record: Fields | undefined): Date | undefined {
  for (const key of TIMES) {
    const value = record?.[key];
    const date =
      typeof value === 'number' ? dateOfNumber(value) : typeof value === 'string' ? timeIn(value) : undefined;
    if (date) return date;
  }
  const journal = record?.__REALTIME_TIMESTAMP;
  return (
    (typeof journal === 'string' ? dateOfNumber(Number(journal) / 1000) : undefined) ?? timeIn(text.slice(0, 2_000))
  );
}

function timeIn(text: string): Date | undefined {
  const iso = ISO.exec(text);
  // A time without a zone is taken as UTC: the cloud's own are.
  if (iso) return dateOf(`${iso[1]}-${iso[3]}-${iso[4]}T${iso[5]}.${(iso[6] ?? '0').slice(0, 3)}${iso[7] ?? 'Z'}`);
  const common = COMMON.exec(text);
  return common ? dateOf(`${common[1]} ${common[2]} ${common[3]} ${common[4]} ${common[5]}`) : undefined;
}

function dateOf(text: string): Date | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Seconds or milliseconds since the epoch, between 2001 and 2100. */
function dateOfNumber(value: number): Date | undefined {
  const ms = value > 1e11 ? value : value * 1000;
  return ms > 978e9 && ms < 4_102e9 ? new Date(ms) : undefined;
}

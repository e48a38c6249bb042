import { type Loudness, loudnessOf, loudnessOfSeverity, NAMES } from './level-names.ts';

/** A level stands at the head of an entry. */
const HEAD = 400;
const COLOURS = new RegExp(String.raw`${String.fromCharCode(27)}\[[\d;]*m`, 'g');

/** One letter: glog and klog, Ruby, Android, ESP-IDF. */
const LETTER =
  /^(?:([VDITWEFC])\d{4} \d\d:\d\d:\d\d|([A-Z]), \[\d{4}-|\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\s+\d+\s+\d+ ([VDIWEF]) |([VDIWE]) \(\d+\) )/;
/** A field of logfmt: logrus, slog. */
const FIELD = /^[^\n]{0,120}?\b(?:level|lvl|severity)=["']?([A-Za-z]+)/;

/** `INFO`, `info:`, `[info     ]`, `[core:info]`, `[10:00:05 INF]`, `[…: INFO/MainProcess]`, `[Information]`. */
const LEVEL = new RegExp(
  [
    String.raw`(${NAMES.toUpperCase()})\b(?!=)`,
    String.raw`(${NAMES})(?=:|\t)`,
    String.raw`\[(?:\w{1,30}:)?(${NAMES})\s*\]`,
    String.raw`\[[\d\s:.,TZ+-]*(${NAMES.toUpperCase()})\b`,
    String.raw`\[(Information|Warning|Error|Debug|Verbose|Fatal)\]`,
  ].join('|'),
  'y',
);
/** What stands before a level: times, thread, logger's name, host and process. */
const BEFORE = new RegExp(
  [
    String.raw`\s+`,
    String.raw`\[[^\]\n]{0,80}\]`,
    String.raw`\d[\dTZe:.,+/-]*`, // a time, in part
    String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|AM|PM|UTC|GMT|Z)\b,?`,
    'std(?:out|err) [FP] ', // Kubernetes
    String.raw`[A-Za-z]\w{0,30}\.(?=[A-Z]{4,}:)`, // a channel of Monolog
    String.raw`[\w.:/$-]{1,80} - `, // Python
    String.raw`(?<=\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)? )[\w.-]{1,60} [\w./-]{1,40}(?:\[\d+\])?: `, // host and process of syslog
    '[|:,;({<>*#+-]+',
  ].join('|'),
  'y',
);

/** How loud the level is that an entry has at its head; `undefined` where it has none. */
export function loudnessInText(text: string): Loudness | undefined {
  const head = text.slice(0, HEAD).replace(COLOURS, '');
  const priority = /^<(\d{1,3})>(?:1 )?/.exec(head);
  const rest = priority ? head.slice(priority[0].length) : head;
  // The level of the program comes first: whatever a service prints, systemd forwards at one priority.
  return loudnessAtHead(rest) ?? (priority ? loudnessOfSeverity(Number(priority[1]) % 8) : undefined);
}

function loudnessAtHead(head: string): Loudness | undefined {
  const told =
    LETTER.exec(head)
      ?.slice(1)
      .find((letter) => letter !== undefined) ?? FIELD.exec(head)?.[1];
  if (told !== undefined) return loudnessOf(told);
  for (let at = 0; at < head.length; at = BEFORE.lastIndex) {
    LEVEL.lastIndex = at;
    const level = LEVEL.exec(head)
      ?.slice(1)
      .find((name) => name !== undefined);
    if (level !== undefined) return loudnessOf(level);
    BEFORE.lastIndex = at;
    if (!BEFORE.test(head)) return undefined;
  }
  return undefined;
}

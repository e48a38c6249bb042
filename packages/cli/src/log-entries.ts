/** One entry of a log: a line, with the lines that belong to it (a stack, pretty-printed JSON). */
export interface LogEntry {
  readonly text: string;
  /** Number of its first line, from 1. */
  readonly line: number;
}

/** An error of axios, dumped, has some thousand lines. */
const MOST_LINES = 2_000;
const MOST_TEXT = 262_144;
/** Lines that go on with the entry before them: indented ones (unless with a time of their own), frames of a stack, ends of JSON. */
const GOES_ON =
  /^(?:\s(?!\s*\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d)|at\s|--->|---|caused by\b|Caused by\b|inner exception\b|[}\])])/;

/** Put lines together into entries, as many at a time as a batch ends, each within bounds. */
export async function* entriesOf(batches: AsyncIterable<readonly string[]>): AsyncGenerator<readonly LogEntry[]> {
  let text = '';
  let first = 0;
  let held = 0;
  let number = 0;
  for await (const lines of batches) {
    const entries: LogEntry[] = [];
    for (const line of lines) {
      number++;
      if (held > 0 && held < MOST_LINES && text.length + line.length < MOST_TEXT && GOES_ON.test(line)) {
        text += `\n${line}`;
        held++;
        continue;
      }
      if (held > 0 && text.trim() !== '') entries.push({ text, line: first });
      text = line;
      first = number;
      held = 1;
    }
    if (entries.length > 0) yield entries;
  }
  if (held > 0 && text.trim() !== '') yield [{ text, line: first }];
}

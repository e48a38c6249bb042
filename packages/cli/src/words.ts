import type { Advice, Executed } from '@faultmap/core';

/** What an advice means, in words. */
export const ADVICE_WORDS: Readonly<Record<Advice, string>> = {
  now: 'repeat at once',
  backoff: 'repeat with backoff and jitter, if that is safe',
  throttled: 'repeat after a longer backoff, or the wait the cloud asks for',
  'at-reset': 'repeat only after the quota resets (next UTC midnight)',
  'renew-credentials': 'once, with fresh credentials',
  never: 'do not repeat it unchanged',
};

/** What is known about execution, in words. */
export const EXECUTED_WORDS: Readonly<Record<Executed, string>> = {
  no: 'it did not take effect',
  unknown: 'it may have taken effect',
  yes: 'it took effect',
};

/** Is it repeated by the default policy, where that is safe? */
export function retriedWord(advice: Advice): string {
  if (advice === 'at-reset') return 'at reset';
  if (advice === 'renew-credentials') return 'once, renewed';
  return advice === 'never' ? 'no' : 'yes';
}

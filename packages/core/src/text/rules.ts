import type { Judgement } from '../catalogue/types.ts';

const rules: Readonly<Record<string, Judgement>> = {};

/** What a conclusion from prose means. */
export function proseJudgement(name: string): Judgement | undefined {
  return Object.hasOwn(rules, name) ? rules[name] : undefined;
}

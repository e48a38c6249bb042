import { validateHeaderName, validateHeaderValue } from 'node:http';
import { check, checkOne, fail, isObject } from '../check.ts';
import { FORMS, MATCH, SPEC } from './fields.ts';
import type { FaultForm, FaultSpec } from './types.ts';

/** @throws TypeError that names the field, what was expected and what was given */
export function validateSpec(spec: FaultSpec): void {
  if (!isObject(spec)) fail('inject: fault', 'an object', spec);
  check('inject: ', spec, SPEC);
  const { match } = spec;
  if (match !== undefined && typeof match !== 'function') {
    if (!isObject(match)) fail('inject: match', 'an object or a function', match);
    check('inject: match.', match, MATCH);
  }
  validateForm(spec);
}

function validateForm({ fault, delayMs }: FaultSpec): void {
  if (fault === undefined) {
    if (!delayMs) fail('inject: fault', 'a fault, or delayMs alone', fault);
    return;
  }
  // The short forms: their messages name what the user wrote.
  if (typeof fault === 'number') checkOne('inject: fault', fault, FORMS.code.code);
  else if (typeof fault === 'string') checkOne('inject: fault', fault, FORMS.unclean.unclean);
  else checkForm(fault);
}

function checkForm(fault: FaultForm): void {
  const form = Object.entries(FORMS).find(([name]) => isObject(fault) && name in fault);
  if (!form) fail('inject: fault', `a code, a text, or an object with one of ${Object.keys(FORMS).join(', ')}`, fault);
  check('inject: fault.', fault, form[1]);
  if ('status' in fault) checkHeaders(fault.headers);
}

function checkHeaders(headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, String(value));
    } catch (thrown) {
      fail('inject: fault.headers', 'what HTTP can hold', { [name]: value }, thrown);
    }
  }
}

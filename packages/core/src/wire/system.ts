import { systemFault } from '../catalogue/system-faults.ts';
import { type Evidence, evidence } from '../evidence.ts';
import { get, getString } from '../shape.ts';

/** Calls of the system that run before anything was sent. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  'connect',
  'getaddrinfo',
  'queryA',
  'queryAaaa',
  'bind',
  'socket',
]);

/**
 * Read a fault of socket, DNS or TLS by its `code`, whoever threw it. Of an `AggregateError` (Happy
 * Eyeballs: one connection per address) the first member that has a code counts, since its own
 * message is empty.
 *
 * @returns `undefined` where there is no code of the system; never throws
 */
export function readSystemError(error: unknown): Evidence | undefined {
  const code = getString(error, 'code') ?? namedOnly(error);
  const fault = code === undefined ? undefined : systemFault(code);
  if (code === undefined || fault === undefined) return firstOf(get(error, 'errors'));
  const syscall = getString(error, 'syscall');
  const text = getString(error, 'message') || getString(firstMember(error), 'message');
  return evidence({
    systemCode: code,
    executed: syscall !== undefined && BEFORE_SENDING.has(syscall) ? 'no' : fault.executed,
    text,
    cause: error,
  });
}

/** The parser of Node 24's fetch gives a name and no code (measured; up to Node 22 it gave `HPE_…`). */
function namedOnly(error: unknown): string | undefined {
  return getString(error, 'name') === 'HTTPParserError' ? 'UND_ERR_HTTP_PARSER' : undefined;
}

function firstOf(errors: unknown): Evidence | undefined {
  if (!Array.isArray(errors)) return undefined;
  for (const member of errors.slice(0, 16)) {
    // One level: members of Happy Eyeballs are plain errors, and a list may hold itself.
    const seen = Array.isArray(get(member, 'errors')) ? undefined : readSystemError(member);
    if (seen) return seen;
  }
  return undefined;
}

function firstMember(error: unknown): unknown {
  const errors = get(error, 'errors');
  return Array.isArray(errors) ? errors[0] : undefined;
}

import { attachOnce, FaultEvents, optionError, resolveRetryOptions } from '@faultmap/core/adapter';
import type { Connection, Container } from 'rhea';
import { AttachedConnection } from './connection.ts';
import { type AmqpHandle, createHandle } from './handle.ts';
import { AMQP_RETRY_DEFAULTS, type AmqpOptions, type ResolvedOptions, resolveAmqpOptions } from './options.ts';
import { asConnection, asContainer, type RheaConnection, type RheaContainer } from './rhea.ts';
import { wrapMethod } from './wrap.ts';

/** A connection or container of rhea 3.x, or a connection of rhea-promise. */
export type Attachable = Connection | Container | RheaPromiseConnection;

/** What tells a connection of rhea-promise; the one it wraps is private to it. */
export interface RheaPromiseConnection {
  isOpen(): boolean;
  createSession(...options: never[]): Promise<unknown>;
}

/**
 * Attach to a connection: every fault is told as a typed error, sends and requests settle, a lost
 * connection is made again at a pace the cloud can bear. What the application's own listeners see
 * does not change. A container attaches every connection made from it afterwards.
 *
 * Attaching twice returns the first handle.
 *
 * @throws TypeError for what is not rhea's, for options that are not what they should be, and when
 *   it is attached already with other options
 *
 * @example
 * const handle = attachAmqp(container.connect({ host, port, username, password }));
 * handle.on('fault', ({ error }) => log.warn(error));
 * const delivery = await handle.send(sender, { body: 'hello' });
 */
export function attachAmqp(target: Attachable, options?: AmqpOptions): AmqpHandle {
  const resolved = resolveAmqpOptions(options);
  resolveRetryOptions('attachAmqp', resolved.retry, AMQP_RETRY_DEFAULTS);
  const connection = asConnection(target);
  if (connection)
    return attachOnce(connection, 'amqp', options, (release) =>
      toConnection(connection, resolved, new FaultEvents(), release),
    );
  const container = asContainer(target);
  if (container) return attachOnce(container, 'amqp', options, (release) => toContainer(container, options, release));
  throw optionError('attachAmqp', 'connection', 'a connection or container of rhea 3', target);
}

const attachments = new WeakMap<RheaConnection, AttachedConnection>();

function attachmentOf(connection: RheaConnection): AttachedConnection {
  const attached = attachments.get(connection);
  if (!attached) throw detachedError();
  return attached;
}

function toConnection(
  connection: RheaConnection,
  options: ResolvedOptions,
  events: FaultEvents,
  release: () => void,
): AmqpHandle {
  const attached = new AttachedConnection(connection, options, events);
  attachments.set(connection, attached);
  return createHandle({
    events,
    options,
    of: (other) => {
      if (other !== connection) throw optionError('attachAmqp', 'link', "one of the attached connection's", other);
      return attachmentOf(connection);
    },
    any: () => attachmentOf(connection),
    resume: () => attached.resume(),
    detach: () => {
      if (attachments.get(connection) !== attached) return;
      attachments.delete(connection);
      attached.detach(detachedError());
      release();
    },
  });
}

/** Every connection the container makes from now on, under one handle with one set of events. */
function toContainer(container: RheaContainer, given: AmqpOptions | undefined, release: () => void): AmqpHandle {
  const options = resolveAmqpOptions(given);
  const events = new FaultEvents();
  const made = new Map<WeakRef<RheaConnection>, AmqpHandle>();
  const adopt = (connection: RheaConnection) => {
    for (const old of made.keys()) if (!old.deref()) made.delete(old);
    const create = (free: () => void) => toConnection(connection, options, events, free);
    made.set(new WeakRef(connection), attachOnce(connection, 'amqp', given, create));
    return connection;
  };
  const making = (original: RheaContainer['connect']): RheaContainer['connect'] => {
    return (...args) => adopt(original.apply(container, args));
  };
  const undo = [wrapMethod(container, 'connect', making), wrapMethod(container, 'create_connection', making)];
  return createHandle({
    events,
    options,
    of: (connection) => attachmentOf(connection as RheaConnection),
    any: () => onlyOpen([...made.keys()]),
    resume: () => {
      for (const handle of made.values()) handle.resume();
    },
    detach: () => {
      for (const take of undo) take();
      for (const handle of made.values()) handle.detach();
      release();
    },
  });
}

/** A request names no connection: there must be just one. */
function onlyOpen(made: readonly WeakRef<RheaConnection>[]): AttachedConnection {
  const open = made.map((ref) => ref.deref()).filter((connection) => connection && !connection.is_closed());
  const [only] = open;
  if (!only || open.length > 1)
    throw new TypeError(
      `request: the container has ${open.length} connections: use the handle of one, attachAmqp(connection)`,
    );
  return attachmentOf(only);
}

function detachedError(): Error {
  return new DOMException('attachAmqp: detached', 'AbortError');
}

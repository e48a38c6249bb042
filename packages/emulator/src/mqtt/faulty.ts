import type { Packet } from 'mqtt-packet';
import type { FaultRequest, ScriptedFault, UncleanFault, UncleanKind } from '../faults/types.ts';
import type { Outcome } from './answers.ts';
import type { Peer } from './peer.ts';
import { scriptedDisconnect } from './scripted.ts';

/** One operation of a client. */
export interface Served {
  readonly request: Omit<FaultRequest, 'transport'>;
  readonly run: () => Outcome;
  /** The scripted fault written out; nothing when its form is of another kind. */
  readonly scripted?: (fault: ScriptedFault) => Outcome | undefined;
  /** After the answer of an operation that ran. */
  readonly afterwards?: () => void;
  /** Not worth an entry in the log. */
  readonly quiet?: boolean;
}

/** Run an operation with the scripted fault that hits it, if any; log, answer, close. */
export function serve(peer: Peer, served: Served): void {
  const { faults } = peer.hub.context;
  const { request } = served;
  const fault = faults.isEmpty ? undefined : faults.next({ ...peer.who(), ...request });
  if (!fault) {
    const outcome = served.run();
    const { operation, path, messageId } = request;
    if (!served.quiet) peer.record({ operation, path, messageId, outcome: outcome.outcome, status: outcome.status });
    peer.finish(outcome);
    served.afterwards?.();
    return;
  }
  const go = () => {
    if (!peer.ended) serveFaulty(peer, served, fault);
  };
  if (fault.delayMs > 0) peer.clock.after(fault.delayMs, go);
  else go();
}

function serveFaulty(peer: Peer, served: Served, fault: ScriptedFault): void {
  const { form } = fault;
  if (form && 'unclean' in form) {
    serveUnclean(peer, served, form);
    return;
  }
  let scripted: Outcome | undefined;
  if (form && 'reasonCode' in form && form.packet === 'disconnect') {
    const packets = peer.version === 5 ? [scriptedDisconnect(form)] : [];
    scripted = { packets, close: true, outcome: `reason 0x${form.reasonCode.toString(16)}`, status: form.reasonCode };
  } else scripted = served.scripted?.(fault);
  if (scripted && fault.executes) served.run();
  const outcome = scripted ?? served.run();
  peer.record({ ...served.request, outcome: outcome.outcome, status: outcome.status, scripted: true });
  peer.finish(outcome);
  if (!scripted) served.afterwards?.();
}

function serveUnclean(peer: Peer, served: Served, form: UncleanFault): void {
  peer.record({ ...served.request, outcome: form.unclean, scripted: true });
  if (actWithoutRunning(peer, form.unclean)) return;
  const outcome = served.run();
  if (form.unclean === 'lost-ack') return;
  const packets = form.unclean === 'not-json' ? outcome.packets.map(asPage) : outcome.packets;
  peer.wire.sendUnclean(packets, form);
  if (outcome.close) peer.wire.close();
  served.afterwards?.();
}

/** The unclean faults that run and answer nothing; true when it was one. */
export function actWithoutRunning({ wire }: Peer, kind: UncleanKind): boolean {
  if (kind === 'reset-before') wire.reset();
  else if (kind === 'close') wire.close();
  else if (kind === 'half-open') wire.mute();
  else if (kind === 'garbage') wire.sendGarbage();
  else return false;
  return true;
}

/** A gateway's page where JSON is expected. */
function asPage(packet: Packet): Packet {
  return packet.cmd === 'publish' ? { ...packet, payload: '<html><body>Service Unavailable</body></html>' } : packet;
}

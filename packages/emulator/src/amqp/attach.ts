import { CloudFault } from '../state/fault.ts';
import { keyOf } from '../state/identity.ts';
import { type Place, parseAddress } from './address.ts';
import type { EngineLink, Receiver, Sender } from './engine.ts';
import { wireErrorOf } from './errors.ts';
import { serve } from './exchange.ts';
import { Link, type LinkService } from './link.ts';
import type { Peer } from './peer.ts';
import { cbs } from './services/cbs.ts';
import { devicebound } from './services/devicebound.ts';
import { events, redirect } from './services/events.ts';
import { feedback } from './services/feedback.ts';
import { fileNotifications } from './services/file-notifications.ts';
import { management } from './services/management.ts';
import { methods } from './services/methods.ts';
import { registration } from './services/registration.ts';
import { serviceSend } from './services/service-send.ts';
import { telemetry } from './services/telemetry.ts';
import { twin } from './services/twin.ts';

/**
 * How long a refused link stays attached, without credit. The official Node client opens links in
 * pairs and hangs when the first is detached while its second attach is under way.
 */
const REFUSAL_DELAY_MS = 200;

/** What serves a place, and which way its messages go, seen from the client. */
const services: Readonly<
  Record<Place['kind'], { readonly direction: 'send' | 'receive' | 'both'; readonly open: (link: Link) => LinkService }>
> = {
  cbs: { direction: 'both', open: cbs },
  management: { direction: 'both', open: management },
  telemetry: { direction: 'both', open: telemetry },
  devicebound: { direction: 'receive', open: devicebound },
  twin: { direction: 'both', open: twin },
  methods: { direction: 'both', open: methods },
  registration: { direction: 'both', open: registration },
  'service-send': { direction: 'send', open: serviceSend },
  feedback: { direction: 'receive', open: feedback },
  'file-notifications': { direction: 'receive', open: fileNotifications },
  'events-endpoint': { direction: 'receive', open: () => ({}) },
  'events-stream': { direction: 'receive', open: events },
  unknown: { direction: 'both', open: () => ({}) },
};

/** A client attached a link: take it, or say why not. */
export function attach(peer: Peer, engine: Sender | Receiver, register: (link: Link) => void): void {
  const address = (engine.is_receiver() ? engine.target?.address : engine.source?.address) ?? '';
  const place = parseAddress(address);
  const link = new Link(peer, engine, place, address);
  register(link);
  mirror(engine as unknown as EngineLink, address);
  void serve(peer, {
    operation: 'attach',
    deviceId: link.identity?.deviceId,
    moduleId: link.identity?.moduleId,
    link,
    run: () => admit(link),
    succeed: () => {
      if (place.kind === 'events-endpoint') redirect(link);
      else if (link.isOpen) link.start(services[place.kind].open(link));
    },
    refuse: (error) => void setTimeout(() => link.fail(error.record), REFUSAL_DELAY_MS),
  });
}

/** @throws CloudFault for a link that may not be */
function admit(link: Link): void {
  const { peer, place } = link;
  if (place.kind === 'unknown') throw new CloudFault('address-not-found');
  if (place.kind === 'events-stream' && place.partition !== 0) {
    throw new CloudFault('argument-invalid', {
      text: `There is no partition ${place.partition}: the stream has one, 0.`,
    });
  }
  const { direction } = services[place.kind];
  if (direction !== 'both' && (direction === 'send') !== link.inbound) throw new CloudFault('unsupported-operation');
  if (link.identity) peer.cloud.identities.get(link.identity);
  if (!peer.mayOpen(place)) throw new CloudFault('unauthorized');
  if (!link.identity) return;
  peer.device(link.identity);
  displace(link);
}

/** One link each way of a kind per device: a second one displaces the first (409002). */
function displace(link: Link): void {
  const { peer, identity } = link;
  const conflict = wireErrorOf(new CloudFault('link-conflict'), 'attach', peer.cloud.clock.now());
  for (const other of [...peer.links]) {
    const same = other !== link && other.identity && identity && keyOf(other.identity) === keyOf(identity);
    if (same && other.place.kind === link.place.kind && other.inbound === link.inbound) other.fail(conflict.record);
  }
}

/** Our attach names the same address and modes as the client's: that is how it knows it is not refused. */
function mirror(engine: EngineLink, address: string): void {
  engine.set_source({ ...plain(engine.source), ...(engine.is_sender() && { address }) });
  engine.set_target({ ...plain(engine.target), ...(engine.is_receiver() && { address }) });
  const { attach: theirs } = engine.remote;
  if (typeof theirs.snd_settle_mode === 'number') engine.local.attach.snd_settle_mode = theirs.snd_settle_mode;
  if (typeof theirs.rcv_settle_mode === 'number') engine.local.attach.rcv_settle_mode = theirs.rcv_settle_mode;
}

function plain(terminus: { readonly address?: string | undefined } | null | undefined): { address?: string } {
  return terminus?.address === undefined || terminus.address === null ? {} : { address: terminus.address };
}

import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Authority } from './auth.ts';
import type { FaultScript } from './faults/script.ts';
import type { Ports, WireOptions } from './options.ts';
import type { Cloud } from './state/cloud.ts';
import type { TlsMaterial } from './tls.ts';

/** Takes over a WebSocket whose sub-protocol a listener registered. */
export type WebSocketHandler = (socket: WebSocket, request: IncomingMessage) => void;

/** Everything a transport's listener is given. */
export interface ListenerContext {
  readonly cloud: Cloud;
  readonly authority: Authority;
  readonly faults: FaultScript;
  /** Address to bind. */
  readonly host: string;
  /** Ports to bind; 0 is a free one. */
  readonly ports: Ports;
  /** Given when TLS endpoints are wanted, beside the plain ones. */
  readonly tls: TlsMaterial | undefined;
  readonly wire: WireOptions;
  /** Serve the control endpoint on the HTTP ports. */
  readonly control: boolean;
  /**
   * Sub-protocols of `/$iothub/websocket`, served by the HTTP listener on its own ports (as the
   * cloud does on 443). Register before the HTTP listener starts or later: looked up per upgrade.
   */
  readonly webSockets: Map<string, WebSocketHandler>;
  /** Endpoints of all listeners; filled in as they start. */
  readonly urls: Record<string, string>;
}

/** What a started listener hands back. */
export interface RunningListener {
  /** Endpoints by name, for instance `{ mqtt: 'mqtt://127.0.0.1:49152' }`. */
  readonly urls: Readonly<Record<string, string>>;
  /** Connections held now. */
  connections(): number;
  /** End every connection and stop listening. */
  close(): Promise<void>;
}

/** One transport. */
export type StartListener = (context: ListenerContext) => Promise<RunningListener>;

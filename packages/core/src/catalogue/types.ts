import type { Advice, AppliesTo, Category, Executed, FaultScope, Transport } from '../categories.ts';

/** One documented code. */
export interface CodeRow {
  /** The number, for instance `404103`; readers look for three to seven digits. */
  readonly code: number;
  /** The documented name, for instance `DeviceNotOnline`. */
  readonly reason: string;
  /** Other names of the same code, found by `lookup` and on the wire. */
  readonly aliases?: readonly string[];
  /** Decides which class the error has. */
  readonly category: Category;
  /** The HTTP status it comes with; `null`: seen only over AMQP or MQTT. */
  readonly httpStatus: number | null;
  /** Where it is known to occur; empty when no source says. */
  readonly transports: readonly Transport[];
  /** What to do about it; `now`, `backoff` and `throttled` are repeated where that is safe. */
  readonly advice: Advice;
  /** May the operation have taken effect at a first attempt? */
  readonly executed: Executed;
  /**
   * Texts of the cloud that say otherwise about execution: lower case, part of the text, the first
   * that fits. `''` fits any text.
   */
  readonly executedByText?: Readonly<Record<string, Executed>>;
  /** Whom the code concerns. */
  readonly scope: AppliesTo;
  /**
   * Numbers the documentation misprints for this code. `lookup` finds them; where the number is a
   * code of its own, that one comes first and this one is under `alsoPrintedFor`.
   */
  readonly misprints?: readonly (number | string)[];
  /**
   * Names that another source gives this number though they belong to another row. Shown, never
   * matched: the number decides.
   */
  readonly disputedNames?: readonly string[];
  /** `true`: named in a documentation table only, never seen in a capture or an SDK. */
  readonly listedOnly?: true;
  /** `true`: not a fault (a client's placeholder, a success); shown by `lookup`, decides nothing. */
  readonly notAFault?: true;
}

/** What a person wants to read about a code. Kept apart from what `classify` needs. */
export interface CodeTexts {
  /** What happened, in one sentence. */
  readonly summary: string;
  /** What to do about it. */
  readonly fix: string;
  /** The page of the cloud's documentation. */
  readonly docsUrl?: string;
  /** Where these facts come from. */
  readonly source?: string;
}

/**
 * All codes of one cloud. Its rows are read once, when it is first used: to change them, give
 * another object.
 */
export interface Catalogue {
  /** Name of the cloud, for instance `azure-iot-hub`. */
  readonly name: string;
  /** The rows, in any order; one that is malformed is passed over. */
  readonly rows: readonly CodeRow[];
  /** By code. */
  readonly texts?: Readonly<Record<number, CodeTexts>>;
}

/** How a fault is judged that carries no number of the cloud. */
export interface Judgement {
  readonly category: Category;
  /** Name for `reason`: the documented one of its own field (condition, reason name, status phrase). */
  readonly reason: string;
  readonly advice: Advice;
  readonly executed: Executed;
  /** The one number it stands for, where the place proves it. */
  readonly code?: number;
  /** Numbers it may stand for. */
  readonly candidates?: readonly number[];
}

/** What makes a condition mean something more exact; all that is given must hold. */
export interface ConditionCase extends Partial<Judgement> {
  readonly scopes?: readonly FaultScope[];
  readonly side?: 'device' | 'service';
  readonly direction?: 'send' | 'receive';
  /** Raised by this side of the connection. */
  readonly local?: true;
  /** Part of the description, lower case. */
  readonly text?: string;
  /** The info map says where else to go. */
  readonly moved?: true;
}

/** An AMQP error condition; the fields of {@link Judgement} hold where nothing but the condition is known. */
export interface ConditionRow extends Judgement {
  readonly condition: string;
  /** Other spellings. */
  readonly aliases?: readonly string[];
  /** Says little by itself: a status number in its description comes first. */
  readonly vague?: true;
  /** The first that holds replaces what it names; one with a `code` leaves no `candidates`. */
  readonly cases?: readonly ConditionCase[];
}

/** An MQTT return code (3.1.1) or reason code (5). `reason` is the name of the specification. */
export interface MqttReasonRow extends Judgement {
  readonly value: number;
}

/** The four hex digits of IoT Hub's MQTT 5 user property `status`, upper case. */
export interface MqttStatusRow extends Judgement {
  readonly status: string;
}

/** An HTTP status without a number or a name beside it. `reason` is its phrase in one word. */
export interface HttpStatusRow extends Judgement {
  readonly status: number;
}

/** Codes of socket, DNS and TLS faults; `reason` is the code itself and left out here. */
export interface SystemFaultRow extends Omit<Judgement, 'reason'> {
  /** As Node gives them, for instance `ECONNRESET`. */
  readonly codes: readonly string[];
}

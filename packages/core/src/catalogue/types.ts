import type { Advice, AppliesTo, Category, Executed, Transport } from '../categories.ts';

/** One documented code. */
export interface CodeRow {
  /** The number, for instance `404103`. */
  readonly code: number;
  /** The documented name, for instance `DeviceNotOnline`. */
  readonly reason: string;
  /** Other names of the same code, found by `lookup` and on the wire. */
  readonly aliases?: readonly string[];
  readonly category: Category;
  /** The HTTP status it comes with; `null`: seen only over AMQP or MQTT. */
  readonly httpStatus: number | null;
  /** Where it is known to occur; empty when no source says. */
  readonly transports: readonly Transport[];
  readonly advice: Advice;
  /** May the operation have taken effect at a first attempt? */
  readonly executed: Executed;
  /** Texts of the cloud that say otherwise about execution (lower case, part of the text). */
  readonly executedByText?: Readonly<Record<string, Executed>>;
  /** Whom the code concerns. */
  readonly scope: AppliesTo;
  /** Numbers the documentation misprints for this code; found by `lookup` only. */
  readonly misprints?: readonly (number | string)[];
  /** `true`: named in a documentation table only, never seen in a capture or an SDK. */
  readonly listedOnly?: true;
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

/** All codes of one cloud. */
export interface Catalogue {
  /** Name of the cloud, for instance `azure-iot-hub`. */
  readonly name: string;
  readonly rows: readonly CodeRow[];
  /** By code. */
  readonly texts?: Readonly<Record<number, CodeTexts>>;
}

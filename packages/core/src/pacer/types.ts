/** Placeholder of the pacer's surface; see create-pacer.ts. */
export interface Pacer {
  readonly state: (key: string) => unknown;
}

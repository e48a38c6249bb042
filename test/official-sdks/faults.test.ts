import { classify } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILING, KEY, LOCK_MS, provoke, REGISTRATION } from './acts.ts';
import { cases, type FaultCase, failedRegistrations } from './faults.ts';
import { type Lab, startLab } from './lab.ts';

const FAILURE = { errorCode: 400209, errorMessage: 'Custom allocation failed with status code: 500' };

let lab: Lab;
const table: string[][] = [];

beforeAll(async () => {
  lab = await startLab({
    devices: cases.map((_case, i) => `f-${i}`),
    queue: { lockMs: LOCK_MS },
    enrollments: [
      { registrationId: REGISTRATION, symmetricKey: KEY },
      ...FAILING.map((registrationId) => ({ registrationId, symmetricKey: KEY, fails: FAILURE })),
    ],
  });
});

afterAll(async () => {
  await lab.stop();
  console.log(`What the official clients leave of a fault\n${printed(table)}`);
});

describe('what the official clients raise', () => {
  it.each(cases.map((one, i) => ({ ...one, i })))('$act, $injected', async (one) => {
    judge(one, await provoke(lab, one, `f-${one.i}`));
  });

  it('registrations that fail', async () => {
    const raised = await Promise.all(failedRegistrations.map((one) => provoke(lab, one, '')));
    failedRegistrations.forEach((one, i) => {
      judge(one, raised[i]);
    });
  });
});

/** Classify what was raised, note it in the table, and hold it to the case. */
function judge(one: FaultCase, raised: unknown): void {
  if (one.raises === 'success') {
    table.push([one.act, one.injected, 'success', 'nothing', '-']);
    expect(raised).toBeUndefined();
    return;
  }
  // The provisioning client rejects with the bare error record of AMQP, which is no Error.
  if (one.act === 'dps-amqp') expect(raised).toHaveProperty('condition');
  else expect(raised).toBeInstanceOf(Error);
  const { category, code, reason, candidates } = classify(raised, { readers: [readAzureSdk] });
  const left = `${one.leaves}: ${leftOf(raised, one)}`;
  table.push([one.act, one.injected, nameOf(raised), left, classifiedAs({ category, code, reason, candidates })]);
  expect(category).toBe(one.category);
  // A number or name gives the code; a condition stands for one or two of them.
  if (one.leaves === 'number' || one.leaves === 'name') expect(code).toBe(one.code);
  else if (one.code !== undefined) expect([code, ...(candidates ?? [])]).toContain(one.code);
}

function classifiedAs(error: {
  category: string;
  code: number | undefined;
  reason: string;
  candidates: readonly number[] | undefined;
}): string {
  const number = error.code ?? (error.candidates?.length ? `(${error.candidates.join(' or ')})` : '');
  return [error.category, number, error.reason].filter((part) => part !== '').join(' ');
}

function nameOf(raised: unknown): string {
  return (raised as Partial<Error>).name ?? 'the AMQP error itself';
}

/** The shortest of what it left that names the fault. */
function leftOf(raised: unknown, { leaves }: FaultCase): string {
  const error = raised as Error & {
    amqpError?: { condition?: string; name?: string; message?: string; description?: string };
    description?: string;
    responseBody?: string;
    response?: { statusCode?: number; headers?: Record<string, string> };
    transportError?: Error;
    result?: unknown;
  };
  if (leaves === 'condition') return error.amqpError?.condition ?? '';
  if (leaves === 'name') return error.response?.headers?.['iothub-errorcode'] ?? '';
  if (leaves === 'number') return numberIn([error.responseBody, error.result, error.amqpError, error.description]);
  if (leaves === 'class') return error.amqpError?.name ?? error.name;
  const behind = [error.amqpError?.description, error.amqpError?.message, error.transportError?.message].find(
    (text) => text && text !== '[object Object]',
  );
  return behind ?? error.message;
}

/** `errorCode 404103`, wherever in the JSON it is. */
function numberIn(holders: readonly unknown[]): string {
  const text = holders.map((one) => (one instanceof Error ? one.message : JSON.stringify(one ?? ''))).join();
  return `errorCode ${/errorCode\W+(\d+)/.exec(text)?.[1]}`;
}

function printed(rows: readonly string[][]): string {
  const head = ['client', 'injected', 'raised', 'left', 'classified as'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => cut(row[column]).length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cut(cell).padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cut(text: string | undefined): string {
  const line = (text ?? '').replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

import { afterEach } from 'vitest';

const tasks: (() => unknown)[] = [];

/** Run at the end of the test, last one first. */
export function cleanup(task: () => unknown): void {
  tasks.push(task);
}

afterEach(async () => {
  for (const task of tasks.splice(0).reverse()) await task();
});

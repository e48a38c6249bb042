import type { ListenerContext, RunningListener } from '../listener.ts';

export async function startAmqp(_context: ListenerContext): Promise<RunningListener> {
  return { urls: {}, connections: () => 0, close: async () => {} };
}

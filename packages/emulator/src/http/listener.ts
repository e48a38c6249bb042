import type { ListenerContext, RunningListener } from '../listener.ts';

export async function startHttp(_context: ListenerContext): Promise<RunningListener> {
  return { urls: {}, connections: () => 0, close: async () => {} };
}

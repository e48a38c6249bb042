import type { ListenerContext, RunningListener } from '../listener.ts';

export async function startMqtt(_context: ListenerContext): Promise<RunningListener> {
  return { urls: {}, connections: () => 0, close: async () => {} };
}

import type { D2cEvent } from './events.ts';

/** Where messages of a device's modules go besides the hub: to the input of another module. */
export interface Route {
  /** Nothing: of any module, or of the device itself. */
  readonly moduleId: string | undefined;
  /** Nothing: of any output, or of none. */
  readonly output: string | undefined;
  readonly anyModule: boolean;
  /** Nothing for `$upstream`: everything reaches the hub anyway. */
  readonly to: { readonly moduleId: string; readonly input: string } | undefined;
}

const ROUTE = /^FROM\s+(\S+)\s+INTO\s+(.+)$/i;
const SOURCE = /^\/messages(?:\/\*|\/modules\/(?:\*|([^/*]+)\/(?:\*|outputs\/(?:\*|([^/*]+)))))$/;
const SINK = /^BrokeredEndpoint\("\/modules\/([^/"]+)\/inputs\/([^/"]+)"\)$/i;

/**
 * Read a route as a deployment of IoT Edge writes it (iot-edge, module-composition), without `WHERE`.
 *
 * @throws TypeError for what is none
 */
export function parseRoute(text: string): Route {
  const [, from = '', into = ''] = ROUTE.exec(text.trim()) ?? [];
  const source = SOURCE.exec(from);
  const sink = SINK.exec(into);
  if (!source || !(sink || into === '$upstream')) {
    throw new TypeError(
      `startEmulator: routes: expected FROM /messages/modules/{module}/outputs/{output} INTO BrokeredEndpoint("/modules/{module}/inputs/{input}"), received ${text}`,
    );
  }
  const [, moduleId, output] = source;
  const to = sink ? { moduleId: sink[1] as string, input: sink[2] as string } : undefined;
  return { moduleId, output, anyModule: from === '/messages/modules/*', to };
}

/** The inputs a message goes to. */
export function inputsFor(event: D2cEvent, routes: readonly Route[]): NonNullable<Route['to']>[] {
  const { moduleId } = event.identity;
  return routes.flatMap((route) => {
    const fits =
      (route.moduleId === undefined ? !route.anyModule || moduleId !== undefined : route.moduleId === moduleId) &&
      (route.output === undefined || route.output === event.output);
    return fits && route.to ? [route.to] : [];
  });
}

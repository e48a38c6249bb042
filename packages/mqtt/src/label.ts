const MAX_LENGTH = 80;

/** Where IoT Hub has properties behind the topic proper. */
const BAGGED = /^devices\/[^/]+\/(?:modules\/[^/]+\/)?messages\/(?:events|devicebound)\//;

/**
 * Name of an operation for messages and events: verb and topic, cut to length. Without its query, and
 * without the properties that IoT Hub has in a topic (`devices/d/messages/events/name=value`): they are
 * data of the program, and may be secret.
 */
export function label(verb: string, topic: unknown): string {
  if (typeof topic !== 'string') return verb;
  const path = withoutProperties(topic.split('?', 1)[0] ?? '');
  return `${verb} ${path.length > MAX_LENGTH ? `${path.slice(0, MAX_LENGTH)}…` : path}`;
}

function withoutProperties(path: string): string {
  const bagged = BAGGED.exec(path)?.[0];
  // A filter has no properties.
  if (bagged !== undefined) return path === `${bagged}#` ? path : bagged;
  const at = path.indexOf('=');
  return at < 0 ? path : path.slice(0, path.lastIndexOf('/', at) + 1);
}

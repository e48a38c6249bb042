import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours on a terminal and nowhere else, unless the user says otherwise. */
export function colorsFor(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Colors {
  const forced = (env.FORCE_COLOR ?? '0') !== '0';
  const terminal = stream.isTTY === true && env.TERM !== 'dumb';
  return pc.createColors(!env.NO_COLOR && (terminal || forced));
}

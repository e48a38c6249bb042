/*
 * What printing did to a text on its way: colours of a terminal, entities of a page, doubled quotes
 * of a table. Every expression is linear in the text.
 */

/** Colours, as JSON and editors spell the escape character too; a copy may have lost it. */
const COLOURS = new RegExp(
  [
    String.raw`(?:${String.fromCharCode(27)}|\\{1,8}u001b|\\{1,8}x1b|\^\[)\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m`,
    String.raw`\[(?:[01];)?(?:[01]|[349]\d)m`,
  ].join('|'),
  'gi',
);
/** A name in doubled quotes with a value behind it: that is how tables (CSV) keep JSON. */
const DOUBLED = /""\w{2,40}\\{0,8}""\s?:/;
const ESCAPED = /&(?:amp;)?(?:quot|apos|gt|#34|#39|#x22|#x27);|[“”„]/gi;

const CHARACTERS: Readonly<Record<string, string>> = { apos: "'", '#39': "'", '#x27': "'", gt: '>' };

/** The text as it was before it was printed. */
export function plainText(text: string): string {
  let plain = text.includes('[') ? text.replace(COLOURS, '') : text;
  if (plain.includes('""') && DOUBLED.test(plain)) plain = plain.replaceAll('""', '"');
  return plain.replace(ESCAPED, (found) => CHARACTERS[found.replace(/^&(?:amp;)?|;$/gi, '').toLowerCase()] ?? '"');
}

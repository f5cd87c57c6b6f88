import { VIRTUAL_PREFIX } from '../../kernel/index.js';

const CUSTODY_NO_MAX = 32;

/**
 * What of a number may be that of a custody account: itself or its beginning, the longest first. A number of the form of our virtual accounts
 * names none, however it is misspelt: it goes back.
 */
export function custodyNumbersIn(virtualNo: string): string[] {
  const number = virtualNo.trim();
  if (number.startsWith(VIRTUAL_PREFIX)) return [];
  const longest = Math.min(number.length, CUSTODY_NO_MAX);
  return Array.from({ length: longest }, (_, place) => number.slice(0, longest - place));
}

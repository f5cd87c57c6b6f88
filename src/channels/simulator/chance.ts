/** Seeded chance. A draw depends on the seed and its key alone, so that calls in another order still draw the same. */

/** FNV-1a of a text, as an unsigned 32-bit number. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Mulberry32: a small generator with 32 bits of state, here used once for each key to mix the hash. */
function mulberry32(state: number): number {
  let mixed = (state + 0x6d2b79f5) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}

/** A number in [0, 1) that is always the same for this seed and key. */
export function draw(seed: number, key: string): number {
  return mulberry32(hash32(`${seed}|${key}`));
}

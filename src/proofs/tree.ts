import { hash as digestOf } from 'node:crypto';

/**
 * A Merkle tree as of RFC 6962 (certificate transparency), computed while its leaves go by. Hashes of leaves and of nodes begin with different
 * bytes, so that no node can be passed off as a leaf. Where a level has an odd number of hashes the last one goes up as it is and is
 * never doubled, so that no two lists of leaves have one root. Pure.
 */
const LEAF = Buffer.from([0]);
const scratch = Buffer.alloc(65, 1); // what begins a node, and room for two hashes

/** @param salt 32 bytes that only the owner of the leaf is told: without them nobody can try out what a leaf may say */
export function hashOfLeaf(salt: Buffer, text: string): Buffer {
  return digestOf('sha256', Buffer.concat([LEAF, salt, Buffer.from(text, 'utf8')]), 'buffer');
}

function hashOfNode(left: Buffer, right: Buffer): Buffer {
  left.copy(scratch, 1);
  right.copy(scratch, 33);
  return digestOf('sha256', scratch, 'buffer');
}

/** What must be kept of the leaves so far: one hash for each whole subtree, of which there are at most as many as the count has bits. */
export class Frontier {
  readonly #whole: { readonly size: number; readonly hash: Buffer }[] = [];

  push(hash: Buffer): void {
    let last = { size: 1, hash };
    for (let top = this.#whole.at(-1); top?.size === last.size; top = this.#whole.at(-1)) {
      this.#whole.pop();
      last = { size: top.size * 2, hash: hashOfNode(top.hash, last.hash) };
    }
    this.#whole.push(last);
  }

  /** How many hashes are kept. */
  get kept(): number {
    return this.#whole.length;
  }

  /** The root over what was pushed; of nothing, the hash of nothing. */
  root(): Buffer {
    let root: Buffer | undefined;
    for (const { hash } of this.#whole.toReversed()) root = root === undefined ? hash : hashOfNode(hash, root);
    return root ?? digestOf('sha256', '', 'buffer');
  }
}

export function rootOf(hashes: Iterable<Buffer>): Buffer {
  const frontier = new Frontier();
  for (const hash of hashes) frontier.push(hash);
  return frontier.root();
}

/** The hashes by which, from below, the one at `index` leads to the root over all. */
export function pathIn(hashes: readonly Buffer[], index: number): Buffer[] {
  const path: Buffer[] = [];
  let level = hashes;
  for (let at = index; level.length > 1; at = Math.floor(at / 2)) {
    const sibling = level[at % 2 === 0 ? at + 1 : at - 1];
    if (sibling !== undefined) path.push(sibling);
    level = levelAbove(level);
  }
  return path;
}

function levelAbove(level: readonly Buffer[]): Buffer[] {
  const above: Buffer[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at] as Buffer;
    const right = level[at + 1];
    above.push(right === undefined ? left : hashOfNode(left, right));
  }
  return above;
}

/** The root to which a path leads from the leaf at `index` of `size`; undefined when the path is not as long as it must be there. */
export function rootByPath(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  let hash = leaf;
  let next = 0;
  for (let at = index, last = size - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at === last && at % 2 === 0) continue; // it went up as it was
    const sibling = path[next];
    if (sibling === undefined) return undefined;
    hash = at % 2 === 0 ? hashOfNode(hash, sibling) : hashOfNode(sibling, hash);
    next += 1;
  }
  return next === path.length && index < size ? hash : undefined;
}

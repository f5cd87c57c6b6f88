import { createHash } from 'node:crypto';
import { fc, test as property } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import { asId } from '../../src/kernel/index.js';
import { BlockTree } from '../../src/proofs/attest.js';
import { BLOCK } from '../../src/proofs/rules.js';
import { Frontier, hashOfLeaf, pathIn, rootByPath, rootOf } from '../../src/proofs/tree.js';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const SALT = Buffer.alloc(32, 7);
const leaves = (size: number) => Array.from({ length: size }, (_, place) => hashOfLeaf(SALT, `leaf ${place}`));

/** The definition of RFC 6962, section 2.1, word for word: slow and plainly right. */
function byDefinition(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0) return sha256();
  if (hashes.length === 1) return hashes[0] as Buffer;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return sha256(Buffer.from([1]), byDefinition(hashes.slice(0, split)), byDefinition(hashes.slice(split)));
}

const sizes = fc.integer({ min: 1, max: 100 });

describe('a tree', () => {
  property.prop([fc.integer({ min: 0, max: 300 })])('has the root of RFC 6962 at any size', (size) => {
    expect(rootOf(leaves(size))).toEqual(byDefinition(leaves(size)));
  });

  property.prop([sizes])('proves each of its leaves, and each at its own place alone', (size) => {
    const all = leaves(size);
    const root = rootOf(all);
    for (const [index, leaf] of all.entries()) {
      const path = pathIn(all, index);
      expect(rootByPath(leaf, index, size, path)).toEqual(root);
      const elsewhere = (index + 1) % size;
      if (elsewhere !== index) expect(rootByPath(leaf, elsewhere, size, path)?.equals(root) ?? false).toBe(false);
    }
  });

  property.prop([sizes, fc.nat(), fc.nat()])(
    'refuses a leaf that is not in it, and a path that was cut, made longer or altered',
    (size, at, which) => {
      const all = leaves(size);
      const root = rootOf(all);
      const index = at % size;
      const leaf = all[index] as Buffer;
      const path = pathIn(all, index);
      const leads = (hash: Buffer, by: readonly Buffer[], of = size) => rootByPath(hash, index, of, by)?.equals(root) ?? false;
      expect(leads(hashOfLeaf(SALT, 'another'), path)).toBe(false);
      expect(leads(hashOfLeaf(Buffer.alloc(32), `leaf ${index}`), path)).toBe(false);
      expect(leads(leaf, [...path, root])).toBe(false);
      if (path.length === 0) return;
      expect(leads(leaf, path.slice(1))).toBe(false);
      const altered = path.map((hash) => Buffer.from(hash));
      const touched = altered[which % altered.length] as Buffer;
      touched[which % 32] = (touched[which % 32] as number) ^ (1 << (which % 8));
      expect(leads(leaf, altered)).toBe(false);
    },
  );

  property.prop([sizes.filter((size) => size > 1), fc.nat()])('has another root when two leaves change places', (size, at) => {
    const all = leaves(size);
    const index = at % (size - 1);
    const swapped = all.with(index, all[index + 1] as Buffer).with(index + 1, all[index] as Buffer);
    expect(rootOf(swapped)).not.toEqual(rootOf(all));
  });

  test('has another root when its last leaf stands twice (CVE-2012-2459)', () => {
    for (const size of [1, 3, 5, 6, 7, 11]) {
      const all = leaves(size);
      expect(rootOf([...all, all.at(-1) as Buffer])).not.toEqual(rootOf(all));
    }
  });

  test('takes no node for a leaf: two leaves together are not a leaf that says the same', () => {
    const [left, right] = leaves(2) as [Buffer, Buffer];
    const passedOff = sha256(Buffer.from([0]), left, right);
    expect(rootOf([left, right])).not.toEqual(passedOff);
    expect(rootByPath(rootOf([left, right]), 0, 2, [])).toBeUndefined();
  });
});

describe('the tree of a day', () => {
  test.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 5])(
    'of %i accounts has the same root whether blocks are kept or not, and its blocks lead to it',
    (size) => {
      const tree = new BlockTree();
      const all = leaves(size);
      for (const [place, leaf] of all.entries()) tree.push(leaf, { type: 'sub', after: asId(String(place)) });
      const { root, blocks, accounts } = tree.end();
      expect(accounts).toBe(size);
      expect(root).toEqual(rootOf(all));
      expect(blocks.map(({ after }) => after?.after)).toEqual(
        blocks.map((_, place) => (place === 0 ? undefined : String(place * BLOCK - 1))),
      );
      for (const index of [0, size - 1, BLOCK].filter((at) => at >= 0 && at < size)) {
        const block = Math.floor(index / BLOCK);
        const inBlock = all.slice(block * BLOCK, (block + 1) * BLOCK);
        const above = blocks.map(({ hash }) => hash);
        const path = [...pathIn(inBlock, index % BLOCK), ...pathIn(above, block)];
        expect(rootByPath(all[index] as Buffer, index, size, path)).toEqual(root);
      }
    },
  );

  test('keeps of 200,000 leaves no more than a hash for each whole subtree', () => {
    const frontier = new Frontier();
    let most = 0;
    for (let place = 0; place < 200_000; place += 1) {
      frontier.push(hashOfLeaf(SALT, String(place)));
      if (frontier.kept > most) most = frontier.kept;
    }
    expect(most).toBeLessThanOrEqual(18);
    expect(frontier.root()).toHaveLength(32);
  });
});

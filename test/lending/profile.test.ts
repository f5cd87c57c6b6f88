import { describe, expect, test } from '@jest/globals';
import { kinds } from '../../src/instructions/index.js';
import { againstProfile, membersTouched, ON_LENDING } from '../../src/instructions/judging/lending-profile.js';
import type { Kind } from '../../src/instructions/kind.js';
import { Desk } from '../support/world/desk.js';

const at = (origin: 'P' | 'O' | 'S', profile: string) => ({ origin, book: { profile } }) as Parameters<typeof againstProfile>[1];
const by = (origin: 'P' | 'O' | 'S') =>
  [...kinds.values()].filter(
    (kind) => kind.origins.includes(origin) && againstProfile(kind, at(origin, 'lending')) === undefined,
  );
const names = (of: readonly Kind[]) => of.map(({ name }) => name).sort();

describe('a lending platform', () => {
  test('gives by itself what its members want with their own money, lending, and fees; nothing else, whatever kinds there will be', () => {
    const taken = names(by('P'));
    const sorted = Object.entries(ON_LENDING).filter(([, why]) => why !== 'staff');
    expect(taken).toEqual(sorted.map(([name]) => name).sort());
    for (const [name] of sorted.filter(([, why]) => why === 'own')) expect(kinds.get(name)?.act).toBeDefined();
    // What sends money round lenders and borrowers on any other path.
    for (const name of ['payment', 'split', 'account-payment', 'capture', 'escrow-funding', 'subsidy', 'bulk-release'])
      expect(againstProfile(kinds.get(name) as Kind, at('P', 'lending'))?.code).toBe('PROFILE_FORBIDS');
    expect(againstProfile({ name: 'of-tomorrow' } as Kind, at('P', 'lending'))?.code).toBe('PROFILE_FORBIDS');
  });

  test('is served by the system as every other, and a marketplace gives all that it gave', () => {
    expect(names(by('S'))).toEqual(names([...kinds.values()].filter(({ origins }) => origins.includes('S'))));
    for (const kind of kinds.values()) expect(againstProfile(kind, at('P', 'marketplace'))).toBeUndefined();
    expect(Object.keys(ON_LENDING).filter((name) => !kinds.has(name))).toEqual([]);
  });

  test('moves its own money as it likes and nobody else’s', () => {
    const desk = new Desk('transfer');
    const effects = (from: string) => ({ postings: [{ account: from as never, amount: -1n }] });
    const touched = (from: string, kind = 'transfer') =>
      membersTouched(kinds.get(kind) as Kind, effects(from), desk.facts, at('P', 'lending'))?.code;
    expect(touched(desk.book.accounts['own-funds'])).toBeUndefined();
    expect(touched(desk.book.accounts.marketing)).toBeUndefined();
    expect(touched(desk.data.from.slice(4))).toBe('PROFILE_FORBIDS');
  });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isOwnBank, OWN_BANK } from '../../src/channels/index.js';
import { Agenda } from '../../src/channels/simulator/agenda.js';

test('a payee at the custodian is one whose bank code is empty or begins with ours, and nobody else', () => {
  expect([isOwnBank(''), isOwnBank('102999000001')]).toEqual([true, false]);
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{9}$/), fc.stringMatching(/^[0-8][0-9]{11}$/), (rest, elsewhere) => {
      expect([isOwnBank(`${OWN_BANK}${rest}`), isOwnBank(elsewhere)]).toEqual([true, false]);
    }),
    { seed: 1 },
  );
});

test('an agenda gives each entry once, when due, in the order of due and then of arrival', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.array(fc.nat(25)), (dues, looks) => {
      const agenda = new Agenda<[number, number]>();
      for (const [at, due] of dues.entries()) agenda.add(due, [due, at]);
      const taken = [...looks, 100]
        .sort((a, b) => a - b)
        .flatMap((now) => {
          const due = agenda.takeDue(now);
          expect(due.every(([when]) => when <= now)).toBe(true);
          return due;
        });
      expect(taken).toEqual(
        dues
          .map((due, at) => [due, at])
          .sort((a, b) => (a[0] as number) - (b[0] as number) || (a[1] as number) - (b[1] as number)),
      );
    }),
    { seed: 3 },
  );
});

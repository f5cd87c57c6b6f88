import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chooseChannel, isOwnBank, OWN_BANK } from '../../src/channels/index.js';
import { Agenda } from '../../src/channels/simulator/agenda.js';

describe('chooseChannel', () => {
  test('a payee at the custodian never leaves the bank', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{9}$/), (rest) => {
        expect(chooseChannel(`${OWN_BANK}${rest}`)).toBe('book');
      }),
      { seed: 1 },
    );
    expect(chooseChannel('')).toBe('book');
  });

  test('any other bank is reached through the interbank channel, also one that has our code further on', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-8][0-9]{11}$/), (payeeBank) => {
        expect([chooseChannel(payeeBank), isOwnBank(payeeBank)]).toEqual(['interbank', false]);
      }),
      { seed: 2 },
    );
    expect(chooseChannel('102999000001')).toBe('interbank');
  });

  test('what is to come in is collected, from whatever bank', () => {
    expect([chooseChannel('', 'top-up'), chooseChannel('102999000001', 'top-up')]).toEqual(['collect', 'collect']);
    expect(chooseChannel('', 'withdrawal')).toBe('book');
  });
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

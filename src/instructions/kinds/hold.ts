import { z } from 'zod';
import { refuse, toRfc3339, toWire } from '../../kernel/index.js';
import { type Hold, holdRecords, holdRemaining } from '../../orders/index.js';
import { instantSchema, moneySchema, textSchema, wireId } from '../../runtime/index.js';
import { type At, change, type Facts, type Kind, refused } from '../kind.js';
import { receiverNeeds, withoutAgreement } from '../orders/background.js';

const holdSchema = z.strictObject({
  account: wireId('account'),
  amount: moneySchema,
  purpose: textSchema(128),
  expiresAt: instantSchema.optional(),
});

/** Reserves money of a sub-merchant for a purpose; it stays his, but nothing else can use it. */
export const hold: Kind<z.output<typeof holdSchema>> = {
  name: 'hold',
  en: 'Hold',
  zh: '冻结',
  origins: ['P', 'O'],
  proof: 'reservation',
  schema: holdSchema,
  example: {
    account: 'acc_2236512894231552003',
    amount: { amount: 300, currency: 'CNY' },
    purpose: '售后保证',
    expiresAt: '2026-03-31T00:00:00+08:00',
  },
  needs: (data) => ({ accounts: [data.account] }),
  decide(data, facts, at) {
    const account = facts.account(data.account);
    if (account === undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
    if (account.type !== 'sub') return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const amount = data.amount.amount;
    const row: Hold = {
      id: at.instruction,
      platformId: at.platformId,
      accountId: account.id,
      amount,
      captured: 0n,
      released: 0n,
      purpose: data.purpose,
      expiresMs: data.expiresAt ?? null,
      createdMs: at.nowMs,
    };
    if (row.expiresMs !== null && row.expiresMs <= at.nowMs) return refused(refuse('HOLD_ENDED', 'The expiry is in the past.'));
    return {
      postings: [],
      holds: [{ account: account.id, amount }],
      records: [change(holdRecords, row.id, row)],
      result: { hold: toWire('hold', row.id) },
    };
  },
};

/** The hold if it can still be used, or why not. */
function liveHold(facts: Facts, at: At, id: Hold['id']) {
  const found = facts.record(holdRecords, id);
  if (found === undefined) return refuse('HOLD_NOT_FOUND', undefined, { hold: toWire('hold', id) });
  if (holdRemaining(found) === 0n) return refuse('HOLD_ENDED', undefined, { hold: toWire('hold', id) });
  const expired = found.expiresMs !== null && found.expiresMs <= at.nowMs;
  // What has expired can only be released.
  return { hold: found, expired };
}

const releaseSchema = z.strictObject({ hold: wireId('hold'), amount: moneySchema.optional() });

/** Frees a hold, wholly or in part. */
export const release: Kind<z.output<typeof releaseSchema>> = {
  name: 'release',
  en: 'Release of a hold',
  zh: '解冻',
  origins: ['P', 'S', 'O'],
  proof: 'reservation',
  schema: releaseSchema,
  example: { hold: 'hld_2236512894231552009', amount: { amount: 100, currency: 'CNY' } },
  needs: (data) => ({ records: [[holdRecords, data.hold]] }),
  decide(data, facts, at) {
    const live = liveHold(facts, at, data.hold);
    if ('code' in live) return refused(live);
    const left = holdRemaining(live.hold);
    const amount = data.amount?.amount ?? left;
    if (amount > left) return refused(refuse('CAPTURE_EXCEEDS_HOLD', undefined, { left: String(left) }));
    return {
      postings: [],
      holds: [{ account: live.hold.accountId, amount: -amount }],
      records: [change(holdRecords, data.hold, { ...live.hold, released: live.hold.released + amount })],
      result: { remaining: String(left - amount) },
    };
  },
};

const captureSchema = z.strictObject({ hold: wireId('hold'), to: wireId('account'), amount: moneySchema });

/** Held money goes to another sub-merchant, within the terms; partly and more than once, until the hold is used up. */
export const capture: Kind<z.output<typeof captureSchema>> = {
  name: 'capture',
  en: 'Capture of a hold',
  zh: '冻结扣划',
  origins: ['P', 'O'],
  proof: 'terms',
  schema: captureSchema,
  example: { hold: 'hld_2236512894231552009', to: 'acc_2236512894231552004', amount: { amount: 100, currency: 'CNY' } },
  needs: ({ hold, to }, at) => ({
    accounts: [to],
    records: [[holdRecords, hold], ...(receiverNeeds(to, at).records ?? [])],
  }),
  decide(data, facts, at) {
    const live = liveHold(facts, at, data.hold);
    if ('code' in live) return refused(live);
    const { hold: row, expired } = live;
    if (expired)
      return refused(refuse('HOLD_ENDED', 'The hold has expired.', { expiredAt: toRfc3339(row.expiresMs ?? at.nowMs) }));
    const to = facts.account(data.to);
    if (to === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.to) }));
    if (to.type !== 'sub') return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: to.type }));
    if (to.id === row.accountId) return refused(refuse('SAME_ACCOUNT', undefined, { account: toWire('account', data.to) }));
    const amount = data.amount.amount;
    const { transferMax } = at.book.terms;
    if (transferMax === 0n)
      return refused(refuse('PROOF_MISSING', 'Captures to sub-merchants are not agreed with this platform.'));
    if (amount > transferMax) return refused(refuse('TERMS_EXCEEDED', undefined, { transferMax: String(transferMax) }));
    const unagreed = withoutAgreement(to, facts, at);
    if (unagreed !== undefined) return refused(unagreed);
    const left = holdRemaining(row);
    if (amount > left) return refused(refuse('CAPTURE_EXCEEDS_HOLD', undefined, { left: String(left) }));
    return {
      postings: [
        { account: row.accountId, amount: -amount },
        { account: to.id, amount, clears: 'inherit' },
      ],
      holds: [{ account: row.accountId, amount: -amount }],
      records: [change(holdRecords, data.hold, { ...row, captured: row.captured + amount })],
      result: { remaining: String(left - amount) },
    };
  },
};

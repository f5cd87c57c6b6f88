import { createHash } from 'node:crypto';
import { asId, type Id, toWire } from '../../../src/kernel/index.js';
import { loadBook, setTerms } from '../../../src/ledger/index.js';
import type { ModelAgreement } from '../model/agreements.js';
import { type ModelPaying, PAID_NEXT_DAY } from '../model/paying.js';
import type { World } from './world.js';

/** Orders of a platform need their sellers' agreements from now on. */
export async function requireAgreements({ db }: World, platformId: Id): Promise<void> {
  await db.withTx('agreements required', async (tx) => {
    const { terms } = await loadBook(tx, platformId);
    await setTerms(tx, platformId, { ...terms, agreements: 'required' });
  });
}

function payingTerms({ cycle, heldBack, minimum, to, costs }: ModelPaying = PAID_NEXT_DAY) {
  const [word = '', day] = cycle.split('-');
  const isCounted = /^T\+[2-9]|^T\+[1-9]\d/.test(cycle);
  const hasDay = word === 'weekly' || word === 'monthly';
  return {
    ...{ cycle: isCounted ? 'T+N' : hasDay ? word : cycle, cycleDays: isCounted ? Number(cycle.slice(2)) : null },
    payout: {
      ...{ day: hasDay ? Number(day) : null, holdBackDays: heldBack, minimum: Number(minimum), to },
      fee: { fixed: Number(costs.fixed), percent: Number(costs.bp) },
    },
  };
}

/** A version as the bank leaves it when two of its people have approved it. */
export async function approveAgreement(
  { db, rt, clock }: World,
  platformId: Id,
  { seller, lines, others, orderMax, dayMax, feeMax, reserve, paying, from, until, named }: ModelAgreement,
  commission: string,
): Promise<void> {
  const receiver = (to: string) =>
    to === commission ? 'commission' : to === seller ? 'seller' : { account: toWire('account', asId(to)) };
  const terms = {
    rule: {
      levels: {
        order: {
          lines: lines.map(({ to, bp, of, max }) => ({
            ...{ to: receiver(to), take: { percent: Number(bp), of } },
            ...(max === undefined ? {} : { max: Number(max) }),
          })),
          remainder: 'seller',
        },
      },
    },
    ...{ othersCap: Number(others), profitMax: 10_000, orderMax: orderMax === undefined ? null : Number(orderMax) },
    feeMax: feeMax === undefined ? null : Number(feeMax),
    ...(reserve === undefined ? {} : { reserve: Number(reserve) }),
    volume: { day: dayMax === undefined ? null : Number(dayMax), month: null },
    ...payingTerms(paying),
    refund: named === true ? 'by-rule' : 'pro-rata',
  };
  const json = JSON.stringify(terms);
  const hash = createHash('sha256').update(json).digest();
  await db.withTx('agreement', async (tx) => {
    const [known] = await tx.rows<{ id: string; n: string }>(
      `SELECT a.id, (SELECT COUNT(*) FROM agreement_versions AS v WHERE v.agreement_id = a.id) AS n FROM agreements AS a WHERE a.account_id = ?`,
      [seller],
    );
    const id = known?.id ?? rt.newId();
    const nowMs = clock.now();
    await tx.write('INSERT IGNORE INTO agreement_terms (hash, terms) VALUES (?, ?)', [hash, json]);
    if (known === undefined)
      await tx.write('INSERT INTO agreements (id, platform_id, account_id, agreement_no, created_ms) VALUES (?, ?, ?, ?, ?)', [
        ...[id, platformId, seller, `A-${seller}`, nowMs],
      ]);
    await tx.write(
      `INSERT INTO agreement_versions (id, agreement_id, platform_id, account_id, version, amends, terms_hash, content_hash, state,
         valid_from, valid_to, needed, signed, submitted_ms, countersigned_ms, decided_ms)
       VALUES (?, ?, ?, ?, ?, NULL, ?, ?, 'approved', ?, ?, 1, 1, ?, ?, ?)`,
      [
        ...[rt.newId(), id, platformId, seller, Number(known?.n ?? 0) + 1, hash, hash],
        ...[from, until ?? null, nowMs, nowMs, nowMs],
      ],
    );
  });
}

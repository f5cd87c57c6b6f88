import { z } from 'zod';
import { NOT_PAID } from '../clearing/index.js';
import { type Id, isProvisional, toRfc3339, toWire } from '../kernel/index.js';
import { type Route, type Runtime, rfc3339Schema, route, wireId } from '../runtime/index.js';
import { type AccountExplained, explainAccount } from './reading.js';
import type { HeldLine } from './rules.js';

const minor = z.int().meta({ description: 'Minor units (fen)' });
const date = z.string().meta({ format: 'date' });
const provisional = z.boolean().meta({ description: 'The date lies in a year whose holidays are not known yet, and may move' });
const count = z.int().meta({ description: 'How many this line sums up' });

const explainedSchema = z
  .strictObject({
    account: z.string(),
    type: z.string(),
    state: z.enum(['open', 'frozen', 'closed']),
    asOf: rfc3339Schema,
    businessDate: date,
    currency: z.literal('CNY'),
    balance: minor,
    available: minor.meta({ description: 'balance − held: what may move within the platform' }),
    withdrawable: minor.meta({ description: 'balance − notWithdrawable: what may leave the bank' }),
    held: minor.meta({ description: 'The sum of heldLines' }),
    uncleared: minor.meta({ description: 'The sum of unclearedLines' }),
    notWithdrawable: z
      .strictObject({ amount: minor, because: z.enum(['held', 'uncleared', 'nothing']) })
      .meta({ description: 'The larger of held and uncleared, and which of them it is' }),
    unclearedLines: z.array(z.strictObject({ amount: minor, withdrawableFrom: date, provisional })),
    heldLines: z.array(
      z.strictObject({
        kind: z.enum(['hold', 'bid', 'dispute', 'court', 'review']).meta({
          description:
            'bid: offered to a project; court: frozen by an authority; review: for an instruction that people of the bank look at',
        }),
        id: z.string().nullable(),
        by: z.enum(['platform', 'bank', 'authority', 'system']),
        purpose: z.string().nullable(),
        amount: minor.meta({ description: 'What it keeps now' }),
        of: minor.nullable().meta({ description: 'What it is to keep in all; null: all that comes in, or not told' }),
        until: rfc3339Schema.nullable().meta({ description: 'From then on it keeps nothing' }),
        documentNo: z.string().optional(),
        count,
      }),
    ),
    underWay: z.strictObject({ paidOut: minor, collected: minor }),
    underWayLines: z.array(
      z.strictObject({
        payout: z.string().nullable(),
        direction: z.enum(['out', 'in']),
        purpose: z.string().nullable(),
        state: z.string().nullable(),
        amount: minor,
        createdAt: rfc3339Schema.nullable(),
        count,
      }),
    ),
    notCredited: minor.meta({
      description:
        'What channels have collected for the account and pay over later: no part of the balance yet, the sum of notCreditedLines',
    }),
    notCreditedLines: z.array(
      z.strictObject({
        amount: minor,
        paidOverOn: date.meta({ description: 'It is credited after the close of this date, once its statement shows the money' }),
        count,
      }),
    ),
    nextClearing: z
      .strictObject({
        date,
        amount: minor,
        fee: minor.meta({ description: 'What the platform gets of the same balance, as agreed' }),
        keptBack: minor.meta({ description: 'What it leaves: the reserve, and what refunds that wait want of the account' }),
        because: z.enum(NOT_PAID).nullable().meta({ description: 'Why it pays nothing then, as things are now; null: it does' }),
        provisional,
      })
      .nullable()
      .meta({ description: 'When it is next paid out by itself and, as things are now, how much; null: it is not' }),
    reserve: z
      .strictObject({ inForce: minor, agreed: minor.nullable(), platform: minor, bank: minor })
      .nullable()
      .meta({ description: 'What the clearing leaves, and by whose word; null: no sub-merchant is paid from it' }),
    alert: z
      .strictObject({ below: minor, low: z.boolean(), since: rfc3339Schema.nullable() })
      .meta({ description: 'With less available than this the platform is told, once; 0: never' }),
  })
  .meta({ id: 'AccountExplained', description: 'Why money of an account may move or not: the lines add up to the figures' });

const PREFIX = { hold: 'hold', bid: 'bid', dispute: 'dispute', court: 'freeze', review: 'instruction' } as const;

/** A platform hears of an authority's freeze only that there is one and how much it keeps. */
function showHeld({ kind, id, by, purpose, amount, of, untilMs, documentNo, count: n }: HeldLine, withDocument: boolean) {
  if (kind === 'court' && !withDocument) return { kind, id: null, by, purpose: null, amount, of: null, until: null, count: n };
  return {
    ...{ kind, id: id === null ? null : toWire(PREFIX[kind], id), by, purpose, amount, of },
    until: untilMs === null ? null : toRfc3339(untilMs),
    ...(documentNo === undefined ? {} : { documentNo }),
    count: n,
  };
}

function show(of: AccountExplained, withDocuments: boolean) {
  const { account, figures, notWithdrawable, nextClearing } = of;
  const under = (direction: 'out' | 'in') =>
    of.underWay.reduce((sum, line) => (line.direction === direction ? sum + line.amount : sum), 0n);
  return {
    account: toWire('account', account.id),
    ...{ type: account.type, state: account.state, asOf: toRfc3339(of.asOf), businessDate: of.businessDate, currency: 'CNY' },
    ...figures,
    notWithdrawable,
    unclearedLines: of.uncleared.map(({ due, amount }) => ({
      ...{ amount, withdrawableFrom: due, provisional: isProvisional(of.calendar, due) },
    })),
    heldLines: of.held.map((line) => showHeld(line, withDocuments)),
    underWay: { paidOut: under('out'), collected: under('in') },
    underWayLines: of.underWay.map(({ payout, direction, purpose, state, amount, createdMs, count: n }) => ({
      payout: payout === null ? null : toWire('payout', payout),
      ...{ direction, purpose, state, amount, createdAt: createdMs === null ? null : toRfc3339(createdMs), count: n },
    })),
    notCredited: of.notCredited.reduce((sum, { amount }) => sum + amount, 0n),
    notCreditedLines: of.notCredited,
    nextClearing,
    reserve: of.reserve,
    alert: {
      below: of.watch.alert,
      low: of.watch.lowMs !== null,
      since: of.watch.lowMs === null ? null : toRfc3339(of.watch.lowMs),
    },
  };
}

const shared = {
  method: 'GET',
  tag: 'Accounts',
  summary: 'How much of an account is available, withdrawable, uncleared and held, by whom and until when, line by line',
  summaryZh: '账户可用、可提现、未清算、冻结逐笔说明',
  params: z.strictObject({ account: wireId('account') }),
  answers: { 200: { description: 'The lines, all of one moment; they add up to the figures', schema: explainedSchema } },
} as const;

/** The same explanation for platforms of their accounts and for the bank's staff of all. */
export function explainRoutes(rt: Runtime): Route[] {
  const read = (id: Id, owner?: Id) => rt.db.snapshot('explain', (tx) => explainAccount(tx, rt, id, owner));
  return [
    route({
      ...shared,
      audience: 'platform',
      path: '/v1/accounts/{account}/explain',
      handle: async ({ caller, params }) => ({ status: 200, body: show(await read(params.account, caller.platformId), false) }),
    }),
    route({
      ...shared,
      audience: 'operator',
      permission: 'accounts.read',
      path: '/admin/v1/accounts/{account}/explain',
      // The document is told to those of the staff who may see customers.
      handle: async ({ caller, params }) => ({
        status: 200,
        body: show(await read(params.account), caller.permissions.has('customers.read')),
      }),
    }),
  ];
}

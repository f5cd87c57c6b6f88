import { z } from 'zod';
import { maskCardNumber, maskName, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import {
  decodeCursor,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  type Vault,
  wireId,
} from '../runtime/index.js';
import { type ListedTransfer, listTransfers, TRANSFER_STATES } from './incoming-store.js';

const LIST = 'incoming-transfers';
const state = z.enum(TRANSFER_STATES);
const transferSchema = z
  .strictObject({
    reference: z.string(),
    platform: z.string().nullable(),
    account: z.string().nullable().meta({ description: 'Where it goes; null: the number is nobody’s' }),
    virtualNo: z.string(),
    amount: z.strictObject({ amount: z.int(), currency: z.literal('CNY') }),
    payer: z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() }),
    message: z.strictObject({ channel: z.string(), sender: z.string(), messageNo: z.string() }),
    state: state.meta({
      description: 'duplicate: its message came before; conflict: it came before and said something else; neither of them acts',
    }),
    reason: z.string().nullable(),
    receivedAt: rfc3339Schema,
  })
  .meta({ id: 'IncomingTransfer', description: 'A transfer to a virtual account number 来账' });

function show(vault: Vault, of: ListedTransfer): z.input<typeof transferSchema> {
  const payer = JSON.parse(vault.open(of.payerSealed)) as z.output<typeof transferSchema>['payer'];
  return {
    reference: of.reference,
    platform: of.to === null ? null : toWire('platform', of.to.platformId),
    account: of.to === null ? null : toWire('account', of.to.accountId),
    virtualNo: of.virtualNo,
    amount: { amount: toWireAmount(of.amount), currency: 'CNY' },
    payer: { name: maskName(payer.name), account: maskCardNumber(payer.account), bankCode: payer.bankCode },
    message: of.message,
    state: of.state,
    reason: of.reason,
    receivedAt: toRfc3339(of.receivedMs),
  };
}

/** Transfers from outside as the bank's staff sees them: those that a person has to look at are `duplicate`, `conflict` and `disputed`. */
export function incomingRoutes({ db, vault }: Runtime): Route[] {
  return [
    route({
      audience: 'operator',
      tag: 'Payouts',
      method: 'GET',
      path: '/admin/v1/incoming-transfers',
      permission: 'payouts.read',
      summary: 'Transfers to virtual account numbers, and how the core bank was answered',
      summaryZh: '来账列表',
      query: z.strictObject({ platform: wireId('platform').optional(), state: state.optional(), ...pageQuery }),
      answers: { 200: { description: 'A page, in the order of references', schema: pageSchema(transferSchema) } },
      refusals: ['CURSOR_INVALID'],
      handle: async ({ query }) => {
        const after = query.cursor === undefined ? '' : String(decodeCursor(LIST, 1, query.cursor)[0]);
        const wanted = { state: query.state, platformId: query.platform, after };
        const rows = await db.read('incoming-transfers', (tx) => listTransfers(tx, wanted, query.limit + 1));
        return {
          status: 200,
          body: page(
            LIST,
            rows,
            query.limit,
            (row) => [row.reference],
            (row) => show(vault, row),
          ),
        };
      },
    }),
  ];
}

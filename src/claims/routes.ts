import { z } from 'zod';
import { Refused, refuse } from '../kernel/index.js';
import { frozenOf, loadAccounts, loadBook } from '../ledger/index.js';
import {
  idAfter,
  orderNo,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  type Vault,
  wireId,
} from '../runtime/index.js';
import { claimQueueRecords, type Dispute } from './records.js';
import { heldByClaim } from './rules.js';
import { findDispute, listDisputes } from './store.js';
import { disputeSchema, showDispute } from './wire.js';

const TAG = 'Disputes';

/** Disputes with what each of them has now. Call it in a snapshot: the balances must be of the same moment as the claims. */
async function viewDisputes(tx: Tx, vault: Vault, disputes: readonly Dispute[]) {
  const [first] = disputes;
  if (first === undefined) return [];
  const ids = [
    ...new Set(disputes.flatMap(({ orderId, receiverId }) => (receiverId === null ? [orderId] : [orderId, receiverId]))),
  ];
  const { businessDate } = await loadBook(tx, first.platformId);
  const accounts = await loadAccounts(tx, ids, () => businessDate);
  const queues = await claimQueueRecords.load(tx, ids);
  const heldOn = (id: Dispute['orderId'], dispute: Dispute) => {
    const [queue, account] = [queues.get(id), accounts.get(id)];
    return queue === undefined || account === undefined ? 0n : heldByClaim(queue, dispute.id, frozenOf(account));
  };
  return disputes.map((dispute) => {
    const onReceiver = dispute.receiverId === null ? 0n : heldOn(dispute.receiverId, dispute);
    return showDispute(vault, dispute, { onOrder: heldOn(dispute.orderId, dispute), onReceiver });
  });
}

/** What a platform reads of its disputes; instructions open and end them. */
export function disputeRoutes(rt: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/disputes',
      audience: 'platform',
      tag: TAG,
      summary: 'Disputes in the order in which they were opened, and how much is held of how much',
      summaryZh: '查询争议列表',
      query: z.strictObject({ ...pageQuery, orderNo: orderNo.optional() }),
      answers: { 200: { description: 'A page', schema: pageSchema(disputeSchema) } },
      refusals: ['CURSOR_INVALID'],
      async handle({ caller, query }) {
        const of = { platformId: caller.platformId, orderNo: query.orderNo, after: idAfter('disputes', query.cursor) };
        const { rows, shown } = await rt.db.snapshot('list-disputes', async (tx) => {
          const found = await listDisputes(tx, of, query.limit + 1);
          return { rows: found, shown: await viewDisputes(tx, rt.vault, found) };
        });
        const views = rows.map((dispute, place) => ({ dispute, shown: shown[place] }));
        return {
          status: 200,
          body: page(
            'disputes',
            views,
            query.limit,
            (view) => [view.dispute.id],
            (view) => view.shown,
          ),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/disputes/{dispute}',
      audience: 'platform',
      tag: TAG,
      summary: 'A dispute, and how much is held of how much',
      summaryZh: '查询争议',
      params: z.strictObject({ dispute: wireId('dispute') }),
      answers: { 200: { description: 'The dispute', schema: disputeSchema } },
      async handle({ caller, params }) {
        const [shown] = await rt.db.snapshot('read-dispute', async (tx) => {
          const found = await findDispute(tx, params.dispute);
          if (found?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
          return viewDisputes(tx, rt.vault, [found]);
        });
        return { status: 200, body: shown };
      },
    }),
  ];
}

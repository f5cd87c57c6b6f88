import { z } from 'zod';
import { toRfc3339, toWire, toWireAmount } from '../../kernel/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  wireId,
} from '../../runtime/index.js';
import { requireProject } from '../reading.js';
import { claimRecords } from '../records.js';
import { type ClaimSale, isOpenSale } from './rules.js';
import { salesOn } from './store.js';

const minor = z.int().meta({ description: 'Minor units' });
const saleSchema = z
  .strictObject({
    id: z.string().meta({ example: 'cls_2236512894231552093' }),
    claim: z.string(),
    seller: z.string(),
    share: minor,
    price: minor,
    sold: minor,
    paid: minor,
    fee: z.int().meta({ description: 'Basis points of what the seller gets' }),
    until: rfc3339Schema,
    state: z.enum(['open', 'sold', 'cancelled', 'ended']),
  })
  .meta({ id: 'ClaimSale', description: 'An offer of a claim, and what of it is sold' });

function show(sale: ClaimSale, isOpen: boolean): z.input<typeof saleSchema> {
  return {
    ...{ id: toWire('claim-sale', sale.id), claim: toWire('claim', sale.claimId), seller: toWire('account', sale.seller) },
    ...{ share: toWireAmount(sale.share), price: toWireAmount(sale.price), sold: toWireAmount(sale.sold) },
    ...{ paid: toWireAmount(sale.paid), fee: sale.fee, until: toRfc3339(sale.untilMs) },
    state: sale.state === 'open' && !isOpen ? 'ended' : sale.state,
  };
}

/** What is offered of the claims on a project, as it stands now: an offer that a payment overtook is shown as ended. */
export function claimSaleRoutes({ db, clock }: Runtime): Route[] {
  const salesRoute = route({
    audience: 'platform',
    tag: 'Lending',
    method: 'GET',
    path: '/v1/lending-projects/{project}/claim-sales',
    summary: 'What is or was offered of the claims on a project',
    summaryZh: '标的债权转让列表',
    params: z.strictObject({ project: wireId('project') }),
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(saleSchema) } },
    refusals: ['CURSOR_INVALID', 'PROJECT_NOT_FOUND'],
    handle: async ({ caller, params: { project: id }, query: { cursor, limit } }) => {
      const list = `claim-sales:${id}`;
      const after = idAfter(list, cursor);
      const body = await db.snapshot('claim sales', async (tx) => {
        await requireProject(tx, id, caller.platformId);
        const claims = (await claimRecords.load(tx, [id])).get(id)?.claims ?? [];
        const sales = await salesOn(tx, id, after, limit + 1);
        const nowMs = clock.now();
        return page(
          list,
          sales,
          limit,
          (sale) => [sale.id],
          (sale) => show(sale, isOpenSale(sale, claims, nowMs)),
        );
      });
      return { status: 200, body };
    },
  });
  return [salesRoute];
}

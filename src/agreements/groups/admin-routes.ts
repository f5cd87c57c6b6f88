import { z } from 'zod';
import { type Id, naturalDate, toWire } from '../../kernel/index.js';
import {
  idAfter,
  loadParameters,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  type Tx,
  textSchema,
  wireId,
} from '../../runtime/index.js';
import { acceptedCap, TERMS_REFUSALS } from '../version-wire.js';
import { approveGroup, checkGroup, type Decided, type GroupDecision, refuseGroup } from './decide.js';
import { pageOfMembers } from './routes.js';
import { recordPaperList } from './sign.js';
import { type Group, listGroups } from './store.js';
import {
  decidedSchema,
  memberSchema,
  paperList,
  requireGroup,
  showLeft,
  showStaffGroup,
  staffGroupSchema,
  viewGroups,
} from './wire.js';

const operator = { audience: 'operator', tag: 'Agreements' } as const;
const params = z.strictObject({ group: wireId('group') });

/** What the bank's staff does with many versions in one act. */
export function groupAdminRoutes(rt: Runtime): Route[] {
  return [
    listRoute(rt),
    readRoute(rt),
    membersRoute(rt),
    signRoute(rt),
    decideRoute(rt, 'check', ['Finds nothing against all versions of a group that are signed', '批量初审'], checkGroup),
    decideRoute(rt, 'approve', ['Approves all versions of a group that another has checked', '批量复核'], approveGroup),
    refuseRoute(rt),
  ];
}

async function staffViews(tx: Tx, { clock }: Runtime, groups: readonly Group[]) {
  const cap = (await loadParameters(tx)).on(naturalDate(clock.now()), 'split.others-cap');
  return (await viewGroups(tx, groups)).map((view) => ({ id: view.group.id, shown: showStaffGroup(view, cap) }));
}

async function staffView(tx: Tx, rt: Runtime, group: Group) {
  const [view] = await staffViews(tx, rt, [group]);
  return (view as NonNullable<typeof view>).shown;
}

function listRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/agreement-groups',
    permission: 'accounts.read',
    summary: 'Groups of versions of all platforms, in the order they were submitted',
    summaryZh: '协议批次列表（行内）',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(staffGroupSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ query: { cursor, limit } }) => {
      const after = idAfter('agreement-groups', cursor) ?? '0';
      const views = await rt.db.snapshot('agreement groups', async (tx) =>
        staffViews(tx, rt, await listGroups(tx, undefined, after, limit + 1)),
      );
      return {
        status: 200,
        body: page(
          'agreement-groups',
          views,
          limit,
          ({ id }) => [id],
          ({ shown }) => shown,
        ),
      };
    },
  });
}

function readRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/agreement-groups/{group}',
    permission: 'accounts.read',
    summary: 'A group with its terms, and how many of its versions are in which state',
    summaryZh: '协议批次详情（行内）',
    params,
    answers: { 200: { description: 'The group', schema: staffGroupSchema } },
    handle: async ({ params: { group } }) => ({
      status: 200,
      body: await rt.db.snapshot('agreement group', async (tx) => staffView(tx, rt, await requireGroup(tx, group))),
    }),
  });
}

function membersRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/agreement-groups/{group}/versions',
    permission: 'accounts.read',
    summary: 'The versions of a group, in the order of its lines',
    summaryZh: '协议批次明细（行内）',
    params,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(memberSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params: { group }, query }) => ({
      status: 200,
      body: await db.snapshot('versions of a group', async (tx) => pageOfMembers(tx, await requireGroup(tx, group), query)),
    }),
  });
}

const targetOf = (group: Id) => `agreement group ${toWire('group', group)}`;
const acted = z
  .strictObject({ group: staffGroupSchema, moved: z.int().meta({ description: 'How many signatures or versions' }) })
  .meta({ id: 'ActOnAgreementGroup' });
const LIST_BYTES = 64 * 1024;

function signRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/agreement-groups/{group}/signatures',
    permission: 'agreements.write',
    summary: 'Records that receivers have signed their versions on one list on paper',
    summaryZh: '批量登记纸质签署',
    description:
      'Whoever has signed already is passed over. Whoever records signatures neither checks nor approves the versions that he recorded.',
    params,
    body: paperList,
    bodyLimit: LIST_BYTES,
    answers: { 200: { description: 'How many signatures were recorded, and the group as it stands now', schema: acted } },
    refusals: ['AGREEMENT_STATE', 'RECEIVER_NOT_ALLOWED', 'RECEIVER_SIGNED'],
    handle: async ({ caller, params: { group: id }, body, tx }) => {
      const group = await requireGroup(tx, id);
      const moved = await recordPaperList(tx, rt, { group, ...body, by: caller.operatorId });
      const audit = { target: targetOf(id), note: `${body.voucher}: ${moved}` };
      return { status: 200, body: { group: await staffView(tx, rt, group), moved }, audit };
    },
  });
}

function decideRoute(
  rt: Runtime,
  verb: 'check' | 'approve',
  [summary, summaryZh]: readonly [string, string],
  decide: (tx: Tx, rt: Runtime, of: GroupDecision) => Promise<Decided>,
): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `/admin/v1/agreement-groups/{group}/${verb}`,
    permission: 'agreements.write',
    summary,
    summaryZh,
    description: 'One that has a fault of its own keeps none of the others back; if none can take the step, it is refused.',
    params,
    body: z.strictObject({ othersCap: acceptedCap }),
    answers: { 200: { description: 'How many took the step, and which did not', schema: decidedSchema } },
    refusals: ['RECEIVER_NOT_SIGNED', 'AGREEMENT_STATE', 'SAME_OPERATOR', 'CAP_NOT_APPROVED', ...TERMS_REFUSALS],
    handle: async ({ caller, params: { group: id }, body, tx, requestId }) => {
      const group = await requireGroup(tx, id);
      const { moved, left } = await decide(tx, rt, { group, by: caller.operatorId, othersCap: body.othersCap });
      const answer = { group: await staffView(tx, rt, group), moved: moved.length, left: showLeft(left, requestId) };
      return { status: 200, body: answer, audit: { target: targetOf(id), note: `${moved.length} of ${group.versions}` } };
    },
  });
}

function refuseRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/admin/v1/agreement-groups/{group}/refuse',
    permission: 'agreements.write',
    confidential: true,
    summary: 'Refuses all versions of a group that are not approved yet, for good',
    summaryZh: '批量拒绝协议版本',
    params,
    body: z.strictObject({ reason: textSchema(200).meta({ description: 'Why; the platform does not see it' }) }),
    answers: { 200: { description: 'How many were refused', schema: acted } },
    refusals: ['AGREEMENT_STATE'],
    handle: async ({ caller, params: { group: id }, body, tx }) => {
      const group = await requireGroup(tx, id);
      const moved = await refuseGroup(tx, rt, { group, by: caller.operatorId, reason: body.reason });
      return { status: 200, body: { group: await staffView(tx, rt, group), moved }, audit: { target: targetOf(id) } };
    },
  });
}

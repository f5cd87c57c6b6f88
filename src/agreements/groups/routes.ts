import { z } from 'zod';
import { idAfter, page, pageQuery, pageSchema, type Route, type Runtime, route, type Tx, wireId } from '../../runtime/index.js';
import { TERMS_REFUSALS } from '../version-wire.js';
import { withdrawGroup } from './decide.js';
import { type Group, listGroups, listMembers } from './store.js';
import { submitGroup } from './submit.js';
import {
  groupSchema,
  groupSubmission,
  groupSubmissionOf,
  LINES_MAX,
  memberSchema,
  requireGroup,
  showGroup,
  showMembers,
  submittedSchema,
  viewGroups,
} from './wire.js';

const platform = { audience: 'platform', tag: 'Agreements' } as const;
const params = z.strictObject({ group: wireId('group') });
const BODY_BYTES = 512 * 1024;

/** What platforms submit for many sellers at once. */
export function groupRoutes(rt: Runtime): Route[] {
  return [submitRoute(rt), listRoute(rt), readRoute(rt), membersRoute(rt), withdrawRoute(rt)];
}

async function shown(tx: Tx, group: Group) {
  const [view] = await viewGroups(tx, [group]);
  return showGroup(view as NonNullable<typeof view>);
}

function submitRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreement-groups',
    summary: `Submits the next version of the agreements with up to ${LINES_MAX} sub-merchants, of the same terms and dates`,
    summaryZh: '批量提交商户协议版本',
    description:
      'It is taken whole or not at all; what is wrong with which line is told all at once, in `faults`. Each version is signed by its own ' +
      'receivers, each on a page or all on a list on paper; two people of the bank check and approve all that are signed in one act each. ' +
      'The number of the group is remembered for ever: the same content again is answered with the group as it stands (200).',
    body: groupSubmission,
    bodyLimit: BODY_BYTES,
    answers: {
      201: { description: 'Submitted; the versions wait for the signatures', schema: submittedSchema },
      200: { description: 'Submitted before, with the same content', schema: submittedSchema },
    },
    refusals: [
      ...(['AGREEMENT_GROUP_REUSED', 'AGREEMENT_NO_REUSED', 'AGREEMENT_EXISTS', 'AGREEMENT_VERSION_NOT_NEXT'] as const),
      ...TERMS_REFUSALS,
    ],
    handle: async ({ caller: { platformId }, body }) => {
      const { group, repeated } = await submitGroup(rt, platformId, groupSubmissionOf(body));
      const answer = await rt.db.snapshot('agreement group', async (tx) => ({
        ...(await shown(tx, group)),
        items: await showMembers(tx, await listMembers(tx, group.id, '0', LINES_MAX)),
      }));
      return {
        status: repeated ? 200 : 201,
        body: answer,
        headers: { Location: `/v1/agreement-groups/${answer.id}`, 'Idempotent-Replay': String(repeated) },
      };
    },
  });
}

function listRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/agreement-groups',
    summary: 'Groups of versions in the order they were submitted',
    summaryZh: '协议批次列表',
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(groupSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, query: { cursor, limit } }) => {
      const list = `agreement-groups:${platformId}`;
      const after = idAfter(list, cursor) ?? '0';
      const views = await db.snapshot('agreement groups', async (tx) =>
        viewGroups(tx, await listGroups(tx, platformId, after, limit + 1)),
      );
      return { status: 200, body: page(list, views, limit, ({ group }) => [group.id], showGroup) };
    },
  });
}

function readRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/agreement-groups/{group}',
    summary: 'A group with its terms, and how many of its versions are in which state',
    summaryZh: '协议批次详情',
    params,
    answers: { 200: { description: 'The group', schema: groupSchema } },
    handle: async ({ caller: { platformId }, params: { group } }) => ({
      status: 200,
      body: await db.snapshot('agreement group', async (tx) => shown(tx, await requireGroup(tx, group, platformId))),
    }),
  });
}

function membersRoute({ db }: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/agreement-groups/{group}/versions',
    summary: 'The versions of a group, in the order of its lines',
    summaryZh: '协议批次明细',
    params,
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(memberSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller: { platformId }, params: { group }, query }) => ({
      status: 200,
      body: await db.snapshot('versions of a group', async (tx) =>
        pageOfMembers(tx, await requireGroup(tx, group, platformId), query),
      ),
    }),
  });
}

export async function pageOfMembers(
  tx: Tx,
  { id }: Group,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
) {
  const list = `agreement-group:${id}`;
  const members = await listMembers(tx, id, idAfter(list, cursor) ?? '0', limit + 1);
  const items = await showMembers(tx, members);
  return page(
    list,
    members.map((member, place) => ({ member, item: items[place] })),
    limit,
    ({ member }) => [member.id],
    ({ item }) => item,
  );
}

function withdrawRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'POST',
    path: '/v1/agreement-groups/{group}/withdraw',
    summary: 'Takes back all versions of a group that are not approved yet; twice changes nothing',
    summaryZh: '撤回协议批次',
    params,
    answers: { 200: { description: 'The group as it stands', schema: groupSchema } },
    refusals: ['AGREEMENT_STATE'],
    handle: async ({ caller: { platformId }, params: { group: id } }) => ({
      status: 200,
      body: await rt.db.withTx(
        'withdraw agreement group',
        async (tx) => {
          const group = await requireGroup(tx, id, platformId);
          await withdrawGroup(tx, rt, group);
          return shown(tx, group);
        },
        async () => undefined, // withdrawn or not: the next try sees it
      ),
    }),
  });
}
